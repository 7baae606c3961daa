# With the address-size prefix the displacement is not sign-extended; one form is enough.
function f
        .byte 0x65,0x67,0x8b,0x04,0x25,0,0,1,0  # error: R5
