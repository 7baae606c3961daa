# A segment prefix on an instruction without memory.
function f
        .byte 0x65,0x89,0xc0                    # error: R3
