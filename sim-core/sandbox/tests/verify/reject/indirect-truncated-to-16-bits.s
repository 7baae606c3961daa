# A 16-bit move keeps the upper bits.
function f
        mov %di,%ax
        cmpq $0x6e841f0f,%gs:(%eax)
        jne trap
        add %gs:BASE_SLOT,%rax
        call *%rax                              # error: R9
