# A second segment prefix replaces the checked one.
function f
        .byte 0x65,0x64,0x67,0x89,0x07          # error: R1
