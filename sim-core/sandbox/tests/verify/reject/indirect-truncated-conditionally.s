# A conditional move.
function f
        cmove %edi,%eax
        cmpq $0x6e841f0f,%gs:(%eax)
        jne trap
        add %gs:BASE_SLOT,%rax
        call *%rax                              # error: R9
