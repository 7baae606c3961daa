# The re-base of %rsp has one shape with its like: from another word, and without its group.
function f
        mov %eax,%esp
        add %gs:BASE_SLOT,%rsp
        push %rax
        mov %eax,%esp                           # error: R6
        add %gs:BASE_SLOT+8,%rsp                # error: R6
        push %rax
        add %gs:BASE_SLOT,%rsp                  # error: R6
        ud2
