# Into the bytes of a label.
function f
        jmp f+4                                 # error: R8
