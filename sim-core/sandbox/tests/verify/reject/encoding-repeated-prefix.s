# The same prefix twice.
function f
        .byte 0x66,0x66,0x89,0xc0               # error: R1
