# Fill between the truncation of %rsp and its re-base.
function f
        mov %eax,%esp                           # error: R6
        .fill 40,1,0xcc
        add %gs:BASE_SLOT,%rsp                  # error: R6
        mov %eax,%esp                           # error: R6
        int3
        add %gs:BASE_SLOT,%rsp                  # error: R6
        mov %eax,%esp                           # error: R6
