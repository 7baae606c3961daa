# An instruction between the two of the group.
function f
        mov %ebp,%esp                           # error: R6
        nop
        add %gs:BASE_SLOT,%rsp                  # error: R6
