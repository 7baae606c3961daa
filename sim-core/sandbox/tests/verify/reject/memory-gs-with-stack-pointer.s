# %gs base plus %rsp is twice the base.
function f
        mov %gs:8(%rsp),%rax                    # error: R4
