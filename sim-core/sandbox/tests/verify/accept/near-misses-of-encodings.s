# What differs from a refused encoding in one prefix or operand.
function f
        lock addl $1,%gs:(%edi)
        lock btsl $1,%gs:(%edi)
        bt %rax,%rcx
        bts $1,%rax
        xchg %rax,%rcx
        mov %rsp,%rax
        cmp %rax,%rsp
        test %rsp,%rsp
        xadd %rax,%rcx
        mulx %rsp,%rax,%rcx
        shll $1,%gs:(%edi)
        testl $1,%gs:(%edi)
        cs nopw 0(%rax,%rax,1)
        pause
        endbr64
        ud2
