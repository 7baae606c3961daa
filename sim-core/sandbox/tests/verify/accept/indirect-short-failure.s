# The branch of the group may be short and go anywhere that a branch may.
function f
        1: mov %eax,%eax
        cmpq $0x6e841f0f,%gs:(%eax)
        jne 1b
        add %gs:BASE_SLOT,%rax
        jmp *%rax
