# VEX.L does nothing to a scalar operation.
function f
        .byte 0xc5,0xfe,0x58,0xc0               # error: R1
