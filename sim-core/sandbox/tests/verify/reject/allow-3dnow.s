# An AMD-only encoding whose opcode comes last.
function f
        .byte 0x0f,0x0f,0xc1,0x9e               # error: R2
