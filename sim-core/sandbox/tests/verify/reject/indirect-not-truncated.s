# A 64-bit move does not truncate.
function f
        mov %rdi,%rax
        cmpq $0x6e841f0f,%gs:(%eax)
        jne trap
        add %gs:BASE_SLOT,%rax
        call *%rax                              # error: R9
