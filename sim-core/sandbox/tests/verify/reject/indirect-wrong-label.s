# The label of returns.
function f
        mov %eax,%eax
        cmpq $0x6d841f0f,%gs:(%eax)
        jne trap
        add %gs:BASE_SLOT,%rax
        call *%rax                              # error: R9
