# Another register is checked.
function f
        mov %eax,%eax
        cmpq $0x6e841f0f,%gs:(%eax)
        jne trap
        add %gs:BASE_SLOT,%rax
        call *%rcx                              # error: R9
