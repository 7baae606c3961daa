# Without read protection, reads go anywhere; everything else is as ever.
# policy: unprotected reads
function f
        mov (%rdi),%rax
        mov 8(%rdi,%rsi,4),%eax
        cmpl $1,(%rdi)
        pushq (%rdi)
        mov (%rsp,%rax),%rax
        movups (%rdi),%xmm0
        mov f+0x100000(%rip),%rax
        prefetcht0 (%rdi)
        mov (%rdi),%eax
        cmpq $0x6e841f0f,%gs:(%eax)
        jne trap
        add %gs:BASE_SLOT,%rax
        call *%rax
        landing
        mov %edi,%edi
        add %gs:BASE_SLOT,%rdi
        rep movsb
        add $8,%rsp
        push %rax
        return
