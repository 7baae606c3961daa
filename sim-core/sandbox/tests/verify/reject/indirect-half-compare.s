# A 32-bit compare accepts half a label.
function f
        mov %eax,%eax
        cmpl $0x6e841f0f,%gs:(%eax)
        jne trap
        add %gs:BASE_SLOT,%rax
        call *%rax                              # error: R9
