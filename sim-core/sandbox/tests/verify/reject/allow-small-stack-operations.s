# Two-byte pushes and pops; compilers do not emit them.
function f
        pushw %ax                               # error: R2
        popw %ax                                # error: R2
        pushw $1                                # error: R2
        pushfw                                  # error: R2
