# Every form of operand that stays in the sandbox.
function f
        mov %gs:(%edi),%rax
        mov %gs:8(%edi,%esi,8),%rax
        mov %gs:-8(%edi),%rax
        mov %gs:(,%ecx,4),%eax
        mov %gs:(%esp,%ecx),%eax
        mov %gs:(%r12d),%rax
        mov %gs:(%r13d),%rax
        mov %gs:BASE_SLOT,%rax
        mov %gs:0x7ffffff8,%rax
        mov %ax,%gs:(%edi)
        addl $1,%gs:(%edi)
        mov 8(%rsp),%rax
        mov %rax,-8(%rsp)
        mov x(%rip),%rax
        mov %rax,x+8(%rip)
        movl $1,y(%rip)
        mov f(%rip),%al
        return
        .data
        x: .quad f,0
        .bss
        y: .skip 64
