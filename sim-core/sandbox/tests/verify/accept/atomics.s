# Atomic operations with and without lock.
function f
        lock xadd %rax,%gs:(%edi)
        lock cmpxchg %rcx,%gs:8(%edi)
        xchg %rax,%gs:(%edi)
        lock addl $1,(%rsp)
        lock btsl $3,%gs:(%edi)
        lock incq x(%rip)
        mfence
        lfence
        sfence
        pause
        return
        .data
        x: .quad 0
