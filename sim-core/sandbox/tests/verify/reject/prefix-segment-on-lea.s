# lea ignores segments.
function f
        .byte 0x65,0x48,0x8d,0x07               # error: R3
