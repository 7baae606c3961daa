# Into data.
function f
        jmp x                                   # error: R8
        .data
        x: .quad 0
