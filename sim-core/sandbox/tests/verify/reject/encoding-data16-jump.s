# Intel reads a 32-bit distance here, AMD a 16-bit one: the streams diverge.
function f
        .byte 0x66,0xe9,0,0,0,0                 # error: R1
