# %rsp may be read.
function f
        mov %rsp,%rax
        cmp %rsp,%rax
        sub %rsp,%rax
        push %rsp
        mov %rsp,8(%rsp)
        pop %rcx
        return
