# %gs with 64-bit registers reaches everything.
function f
        mov %gs:(%rdi),%rax                     # error: R4
        mov %rax,%gs:8(%rdi,%rsi)               # error: R4
