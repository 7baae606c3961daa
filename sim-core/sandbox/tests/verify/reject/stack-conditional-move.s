# A move that may not happen.
function f
        cmove %rax,%rsp                         # error: R6
        cmove %eax,%esp                         # error: R6
