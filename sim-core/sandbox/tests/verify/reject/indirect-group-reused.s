# One check does not serve two jumps.
function f
        mov %eax,%eax
        cmpq $0x6e841f0f,%gs:(%eax)
        jne trap
        add %gs:BASE_SLOT,%rax
        call *%rax
        landing
        jmp *%rax                               # error: R9
