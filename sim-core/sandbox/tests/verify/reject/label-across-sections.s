# One section ends with the first half of a label, the next begins with the second.
function f
        jmp g
        mov $0x6e841f0f,%eax                    # error: R12
        .section .text.next,"ax",@progbits
        .byte 0,0                               # error: R4
        .byte 0,0                               # error: R4
g:      ud2
