# The result of a two-byte bswap is undefined.
function f
        .byte 0x66,0x0f,0xc8                    # error: R2
