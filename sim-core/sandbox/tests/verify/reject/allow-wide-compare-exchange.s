# Compilers do not emit these by default.
function f
        lock cmpxchg16b 8(%rsp)                 # error: R2
        lock cmpxchg8b 8(%rsp)                  # error: R2
