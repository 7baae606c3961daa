# REX.W together with the operand-size prefix on near branches.
function f
        .byte 0x66,0x48,0xe8,0,0,0,0            # error: R1
        .byte 0x66,0x48,0xe9,0,0,0,0            # error: R1
        .byte 0x66,0x48,0xc3                    # error: R1
