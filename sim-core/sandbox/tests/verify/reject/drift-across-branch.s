# The same with a conditional branch.
function f
        1: sub $0x1000,%rsp
        test %eax,%eax
        jne 1b                                  # error: R7
