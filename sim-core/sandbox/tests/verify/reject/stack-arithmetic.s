# Arithmetic on %rsp with anything but a constant.
function f
        add %rax,%rsp                           # error: R6
        sub %rdi,%rsp                           # error: R6
        and $-32,%rsp                           # error: R6
        or $8,%rsp                              # error: R6
        xor %rax,%rsp                           # error: R6
        adc $8,%rsp                             # error: R6
        sbb $8,%rsp                             # error: R6
        inc %rsp                                # error: R6
        dec %rsp                                # error: R6
        neg %rsp                                # error: R6
        not %rsp                                # error: R6
        shl $1,%rsp                             # error: R6
        imul $3,%rsp,%rsp                       # error: R6
