# Any 64-bit value in %rsp.
function f
        mov %rax,%rsp                           # error: R6
        mov 8(%rsp),%rsp                        # error: R6
        mov $0x1000,%rsp                        # error: R6
        movabs $0x1122334455667788,%rsp         # error: R6
