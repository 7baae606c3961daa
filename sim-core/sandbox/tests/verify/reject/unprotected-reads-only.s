# Without read protection, writes and transfers of control are checked as ever.
# policy: unprotected reads
function f
        mov %rax,(%rdi)                         # error: R4
        addl $1,(%rdi)                          # error: R4
        xchg %rax,(%rdi)                        # error: R4
        mov %fs:0x28,%rax                       # error: R3
        mov (%edi),%eax                         # error: R4
        popq (%rdi)                             # error: R4
        bt %rax,(%rdi)                          # error: R4
        jmp *(%rdi)                             # error: R9
        rep movsb                               # error: R11
        vmaskmovps %ymm0,%ymm1,(%rdi)           # error: R4
