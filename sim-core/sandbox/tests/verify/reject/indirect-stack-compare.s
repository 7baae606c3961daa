# The label is compared on the stack.
function f
        mov %eax,%eax
        cmpq $0x6e841f0f,(%rsp)
        jne trap
        add %gs:BASE_SLOT,%rax
        call *%rax                              # error: R9
