# Into a gate.
# imports: allowed
function f
        jmp allowed+8                           # error: R8
