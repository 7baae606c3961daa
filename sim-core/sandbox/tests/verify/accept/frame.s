# An ordinary frame.
function f
        push %rbp
        mov %rsp,%rbp
        sub $0x48,%rsp
        mov %rdi,8(%rsp)
        test %edi,%edi
        je 1f
        add $1,%rax
        1: add $0x48,%rsp
        pop %rbp
        return
