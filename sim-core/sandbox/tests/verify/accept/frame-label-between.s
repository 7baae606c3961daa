# A label between a move of %rsp and its access: who comes from elsewhere has moved less.
function f
        test %edi,%edi
        je 1f
        sub $0x18,%rsp
        1: mov %rdi,8(%rsp)
        add $0x18,%rsp
        return
