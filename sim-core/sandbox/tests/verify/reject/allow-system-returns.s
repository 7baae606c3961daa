# What only a kernel returns with.
function f
        iretq                                   # error: R2
        iret                                    # error: R2
        lretq                                   # error: R2
        lret $8                                 # error: R2
        sysretq                                 # error: R2
