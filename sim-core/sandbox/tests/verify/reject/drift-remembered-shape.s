# Immediates are no part of a shape either, nor is what came before.
function f
        add $0x100,%rsp
        push %rax
        add $0x10001,%rsp                       # error: R7
        push %rax
        lea 0x100(%rsp),%rsp
        push %rax
        lea -0x7ffffff0(%rsp),%rsp              # error: R7
        push %rax
        mov 8(%rsp),%rax
        mov 0x100(%rsp),%rax
        sub $0x100,%rsp
        mov 0x7fffff00(%rsp),%rax
        jmp f                                   # error: R7
