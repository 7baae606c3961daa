# An address-size prefix that nothing uses.
function f
        .byte 0x67,0x48,0x89,0xc0               # error: R1
