# Every function in a section of its own.
        .section .text.one,"ax",@progbits
function one
        jmp two
        .section .text.two,"ax",@progbits
function two
        call one
        landing
        return
