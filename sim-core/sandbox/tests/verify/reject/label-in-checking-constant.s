# A check of four bytes, followed by zeros, holds a label.
function f
        cmpl $0x6e841f0f,%gs:(%eax)             # error: R12
        .byte 0,0                               # error: R4
        .byte 0,0                               # error: R4
