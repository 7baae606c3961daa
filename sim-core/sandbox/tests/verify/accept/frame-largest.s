# The largest constant, and its access at the far end of the frame.
function f
        sub $0x10000,%rsp
        mov %rdi,0xfff8(%rsp)
        jmp 1f
        1: lea 0x8000(%rsp),%rsp
        add $0x8000,%rsp
        push %rax
        pop %rax
        return
