# Parts of %rsp.
function f
        mov %ax,%sp                             # error: R6
        mov %al,%spl                            # error: R6
        sete %spl                               # error: R6
        movzbl %al,%esp                         # error: R6
        add $8,%sp                              # error: R6
