# All but the last byte of a label end a constant, the last begins an addition.
function f
        movabs $0x0000006e841f0f90,%rax         # error: R12
        .byte 0x00,0xc0
