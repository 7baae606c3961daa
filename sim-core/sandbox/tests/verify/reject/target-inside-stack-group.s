# At the re-base, with any value in %rsp.
function f
        je 1f                                   # error: R8
        mov %ebp,%esp
        1: add %gs:BASE_SLOT,%rsp
