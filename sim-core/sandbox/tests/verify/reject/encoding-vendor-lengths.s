# AMD gives this undefined instruction two bytes, Intel three.
function f
        .byte 0x0f,0xff,0xc0                    # error: R1
