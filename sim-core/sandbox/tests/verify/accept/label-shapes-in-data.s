# Labels in data lead nowhere: data is not executable.
function f
        mov x(%rip),%rax
        return
        .data
        x: .byte 0x0f,0x1f,0x84,0x6e,0,0,0,0
        .section .rodata
        .byte 0x0f,0x1f,0x84,0x6d,0,0,0,0
