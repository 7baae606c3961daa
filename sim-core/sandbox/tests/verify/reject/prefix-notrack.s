# A notrack prefix turns a CET check off.
function f
        mov %eax,%eax
        cmpq $0x6e841f0f,%gs:(%eax)
        jne trap
        add %gs:BASE_SLOT,%rax
        notrack jmp *%rax                       # error: R3
