# A plain store writes the host.
function f
        mov %rax,(%rdi)                         # error: R4
        movl $1,8(%rdi)                         # error: R4
        movaps %xmm0,(%rdi)                     # error: R4
        sete (%rdi)                             # error: R4
        movnti %rax,(%rdi)                      # error: R4
        pextrw $0,%xmm0,(%rdi)                  # error: R4
