# No group at all.
function f
        call *%rax                              # error: R9
        landing
        jmp *%rax                               # error: R9
