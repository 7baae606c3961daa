# %gs base plus the address of the code is far away.
function f
        mov %gs:f(%rip),%rax                    # error: R4
