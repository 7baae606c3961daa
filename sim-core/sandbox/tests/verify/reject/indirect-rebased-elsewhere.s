# Re-based with a word that the graft can write.
function f
        mov %eax,%eax
        cmpq $0x6e841f0f,%gs:(%eax)
        jne trap
        add %gs:0x80000000(%eax),%rax
        jmp *%rax                               # error: R9
