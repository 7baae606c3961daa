# Opcodes that do not exist in 64-bit mode.
function f
        .byte 0x06,0x90                         # error: R1
        .byte 0xd6,0x90                         # error: R1
        .byte 0x82,0xc0                         # error: R1
