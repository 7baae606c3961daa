# A plain load reads the host.
function f
        mov (%rdi),%rax                         # error: R4
        mov 8(%rdi,%rsi,4),%eax                 # error: R4
        movzbl (%rdi),%eax                      # error: R4
        cmpl $1,(%rdi)                          # error: R4
        movups (%rdi),%xmm0                     # error: R4
        vmovdqu (%rdi),%ymm0                    # error: R4
        cmove (%rdi),%rax                       # error: R4
