# What assemblers and compilers fill alignment with.
function f
        nop
        xchg %ax,%ax
        nopl (%rax)
        nopl 8(%rax)
        nopl 8(%rax,%rax,1)
        nopw 8(%rax,%rax,1)
        nopl 512(%rax)
        nopl 512(%rax,%rax,1)
        nopw 512(%rax,%rax,1)
        .byte 0x66,0x2e,0x0f,0x1f,0x84,0,0,0,0,0
        .byte 0x66,0x66,0x2e,0x0f,0x1f,0x84,0,0,0,0,0
        .byte 0x66,0x66,0x66,0x66,0x66,0x66,0x2e,0x0f,0x1f,0x84,0,0,0,0,0
        .p2align 5
        endbr64
        .p2align 4
        return
        .p2align 6
        int3
