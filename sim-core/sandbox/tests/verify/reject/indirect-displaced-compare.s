# The label is compared eight bytes further.
function f
        mov %eax,%eax
        cmpq $0x6e841f0f,%gs:8(%eax)
        jne trap
        add %gs:BASE_SLOT,%rax
        call *%rax                              # error: R9
