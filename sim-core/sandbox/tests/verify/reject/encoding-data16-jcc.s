# The same for conditional branches.
function f
        .byte 0x66,0x0f,0x84,0,0,0,0            # error: R1
