# Each access starts the sum again.
function f
        sub $0x10000,%rsp
        cmpb $0,(%rsp)
        sub $0x10000,%rsp
        notq (%rsp)
        add $0x10000,%rsp
        testb $1,8(%rsp)
        add $0x10000,%rsp
        return
