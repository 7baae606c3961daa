# The source of a stack re-base group is read before it is re-based.
function f
        mov (%rdi),%esp                         # error: R4
        add %gs:BASE_SLOT,%rsp
