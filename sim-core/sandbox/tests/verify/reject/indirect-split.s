# An instruction between check and transfer changes the register.
function f
        mov %eax,%eax
        cmpq $0x6e841f0f,%gs:(%eax)
        jne trap
        add %gs:BASE_SLOT,%rax
        add %rcx,%rax
        jmp *%rax                               # error: R9
