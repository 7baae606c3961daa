# The offset is the address of the host.
function f
        nop
        mov %eax,%eax
        cmpq $0x6e841f0f,%gs:(%eax)
        jne trap
        jmp *%rax                               # error: R9
