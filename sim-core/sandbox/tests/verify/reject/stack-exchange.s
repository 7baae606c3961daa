# Both operands of an exchange are written.
function f
        xchg %rax,%rsp                          # error: R6
        xchg %rsp,%rcx                          # error: R6
        xadd %rsp,%rax                          # error: R6
        xadd %rax,%rsp                          # error: R6
        cmpxchg %rcx,%rsp                       # error: R6
        xchg %rsp,8(%rsp)                       # error: R6
