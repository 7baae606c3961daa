# A negative displacement reaches below the sandbox.
function f
        mov %gs:-8,%rax                         # error: R5
        mov %rax,%gs:0xffffffff80000000         # error: R5
