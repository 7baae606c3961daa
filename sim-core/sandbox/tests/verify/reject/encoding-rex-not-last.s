# A REX prefix that is not last is ignored, but looks as if it were not.
function f
        .byte 0x48,0x66,0x89,0xc0               # error: R1
