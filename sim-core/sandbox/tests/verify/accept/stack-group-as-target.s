# A group may be entered at its first instruction, by branch or by label.
function f
        push %rbp
        1: mov %ebp,%esp
        add %gs:BASE_SLOT,%rsp
        test %eax,%eax
        jne 1b
        target
        mov %ebp,%esp
        add %gs:BASE_SLOT,%rsp
        pop %rbp
        return
