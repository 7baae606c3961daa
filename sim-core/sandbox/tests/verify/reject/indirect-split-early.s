# An instruction between truncation and check.
function f
        mov %eax,%eax
        nop
        cmpq $0x6e841f0f,%gs:(%eax)
        jne trap
        add %gs:BASE_SLOT,%rax
        jmp *%rax                               # error: R9
