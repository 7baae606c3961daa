# je leaves when the label is right.
function f
        mov %eax,%eax
        cmpq $0x6e841f0f,%gs:(%eax)
        je trap
        add %gs:BASE_SLOT,%rax
        call *%rax                              # error: R9
