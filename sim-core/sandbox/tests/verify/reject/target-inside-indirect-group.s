# Past the truncation, past the check, at the transfer.
function f
        je 1f                                   # error: R8
        je 2f                                   # error: R8
        call 3f                                 # error: R8
        mov %eax,%eax
        1: cmpq $0x6e841f0f,%gs:(%eax)
        jne trap
        2: add %gs:BASE_SLOT,%rax
        3: call *%rax
        landing
