# A sign-extended offset is not an offset.
function f
        movslq %edi,%rax
        cmpq $0x6e841f0f,%gs:(%eax)
        jne trap
        add %gs:BASE_SLOT,%rax
        call *%rax                              # error: R9
