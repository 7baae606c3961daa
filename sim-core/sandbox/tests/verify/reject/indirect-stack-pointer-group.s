# A whole group on %rsp.
function f
        mov %esp,%esp                           # error: R6
        cmpq $0x6e841f0f,%gs:(%esp)
        jne trap
        add %gs:BASE_SLOT,%rsp                  # error: R6
        jmp *%rsp                               # error: R9
