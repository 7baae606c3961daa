# The label is compared somewhere else.
function f
        mov %eax,%eax
        cmpq $0x6e841f0f,%gs:(%eax,%ecx)
        jne trap
        add %gs:BASE_SLOT,%rax
        call *%rax                              # error: R9
