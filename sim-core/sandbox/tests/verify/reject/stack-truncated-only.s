# Truncated and never re-based.
function f
        mov %eax,%esp                           # error: R6
        nop
