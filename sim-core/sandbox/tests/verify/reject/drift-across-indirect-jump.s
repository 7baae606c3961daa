# The branch inside the group goes elsewhere, too.
function f
        sub $8,%rsp
        mov %eax,%eax
        cmpq $0x6e841f0f,%gs:(%eax)
        jne trap                                # error: R7
        add %gs:BASE_SLOT,%rax
        jmp *%rax
