# push and pop with memory operands.
function f
        pushq %gs:8(%edi)
        popq %gs:(%esi)
        pushq 8(%rsp)
        popq x(%rip)
        push $1
        push $0x12345678
        pop %rax
        pop %rcx
        return
        .data
        x: .quad 0
