# The second re-base adds the base again.
function f
        mov %ebp,%esp
        add %gs:BASE_SLOT,%rsp
        add %gs:BASE_SLOT,%rsp                  # error: R6
