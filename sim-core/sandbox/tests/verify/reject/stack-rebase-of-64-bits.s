# The operation before the re-base has 64 bits.
function f
        and $-32,%rsp                           # error: R6
        add %gs:BASE_SLOT,%rsp                  # error: R6
