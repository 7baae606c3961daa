# A constant is not one of the sources; call it directly.
function f
        mov $0x100000,%eax
        cmpq $0x6e841f0f,%gs:(%eax)
        jne trap
        add %gs:BASE_SLOT,%rax
        jmp *%rax                               # error: R9
