# bt with a register offset is safe on registers, and with a constant on memory.
function f
        bt %rax,%rcx
        bts %eax,%ecx
        btl $31,%gs:(%edi)
        btrq $63,8(%rsp)
        return
