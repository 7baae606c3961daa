# So does an update.
function f
        addq $1,(%rdi)                          # error: R4
        lock xadd %rax,(%rdi)                   # error: R4
        xchg %rax,(%rdi)                        # error: R4
        lock cmpxchg %rcx,(%rdi)                # error: R4
        shll (%rdi)                             # error: R4
