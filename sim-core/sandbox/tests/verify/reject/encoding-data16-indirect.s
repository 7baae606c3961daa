# The same for indirect jumps, whose target AMD cuts to 16 bits.
function f
        .byte 0x66,0xff,0xe0                    # error: R1
