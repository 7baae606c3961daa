# A label inside a constant.
function f
        movabs $0x000000006e841f0f,%rax         # error: R12
        movabs $0x000000006d841f0f,%rcx         # error: R12
