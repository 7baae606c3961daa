# Five bytes into a ten-byte constant that is code of its own.
function f
        jmp 1f+2                                # error: R8
        1: movabs $0x90909090c3050f90,%rax
