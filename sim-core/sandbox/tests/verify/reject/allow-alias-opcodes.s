# Second opcodes of shl, test and ud2, which assemblers do not write.
function f
        .byte 0xc1,0xf0,0x01                    # error: R2
        .byte 0xf6,0xc8,0x01                    # error: R2
        .byte 0x0f,0xff,0xc0                    # error: R2
        .byte 0x0f,0xb9,0xc0                    # error: R2
