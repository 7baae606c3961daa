# %rsp plus an index is not the stack.
function f
        mov 8(%rsp,%rax),%rax                   # error: R4
        mov %rax,(%rsp,%rdi,8)                  # error: R4
