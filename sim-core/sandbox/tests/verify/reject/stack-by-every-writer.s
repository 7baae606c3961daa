# Each instruction that compilers have with %rsp as its destination.
function f
        xchg %rax,%rsp                          # error: R6
        xadd %rax,%rsp                          # error: R6
        xadd %rsp,%rax                          # error: R6
        cmpxchg %rax,%rsp                       # error: R6
        mulx %rax,%rsp,%rcx                     # error: R6
        mulx %rax,%rcx,%rsp                     # error: R6
        bsf %rax,%rsp                           # error: R6
        bsr %eax,%esp                           # error: R6
        tzcnt %rax,%rsp                         # error: R6
        popcnt %rax,%rsp                        # error: R6
        movzbl %al,%esp                         # error: R6
        setc %spl                               # error: R6
        bswap %rsp                              # error: R6
        imul $3,%rax,%rsp                       # error: R6
        andn %rax,%rcx,%rsp                     # error: R6
        crc32b %al,%esp                         # error: R6
