# leave, alloca, aligned frames and frames of any size.
function f
        push %rbp
        mov %rsp,%rbp
        and $-32,%esp
        add %gs:BASE_SLOT,%rsp
        sub %eax,%esp
        add %gs:BASE_SLOT,%rsp
        sub $0x200000,%esp
        add %gs:BASE_SLOT,%rsp
        lea -40(%rbp),%esp
        add %gs:BASE_SLOT,%rsp
        mov 8(%rsp),%esp
        add %gs:BASE_SLOT,%rsp
        mov %gs:(%edi),%esp
        add %gs:BASE_SLOT,%rsp
        add %ecx,%esp
        add %gs:BASE_SLOT,%rsp
        mov %ebp,%esp
        add %gs:BASE_SLOT,%rsp
        pop %rbp
        return
