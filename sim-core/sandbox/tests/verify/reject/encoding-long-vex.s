# Three bytes of VEX where two do.
function f
        .byte 0xc4,0xe1,0x78,0x77               # error: R1
