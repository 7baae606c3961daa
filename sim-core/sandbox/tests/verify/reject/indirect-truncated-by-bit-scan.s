# bsf leaves its destination as it was when its source is zero.
function f
        bsf %edi,%eax
        cmpq $0x6e841f0f,%gs:(%eax)
        jne trap
        add %gs:BASE_SLOT,%rax
        call *%rax                              # error: R9
