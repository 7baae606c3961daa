# Intel ignores the operand-size prefix of a near return, AMD pops two bytes.
function f
        .byte 0x66,0xc3                         # error: R1
