# Bit instructions write registers.
function f
        bsf %rax,%rsp                           # error: R6
        bsr %eax,%esp                           # error: R6
        tzcnt %rax,%rsp                         # error: R6
        popcnt %rax,%rsp                        # error: R6
        bts $40,%rsp                            # error: R6
        bswap %rsp                              # error: R6
        blsr %rax,%rsp                          # error: R6
        pdep %rax,%rcx,%rsp                     # error: R6
        rorx $8,%rax,%rsp                       # error: R6
        crc32q %rax,%rsp                        # error: R6
