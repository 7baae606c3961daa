# A repeat prefix on what does not repeat.
function f
        .byte 0xf3,0x89,0xc0                    # error: R3
        .byte 0xf2,0x89,0xc0                    # error: R3
