# A graft makes no system calls.
function f
        syscall                                 # error: R2
        sysenter                                # error: R2
        int $0x80                               # error: R2
        .byte 0xf1                              # error: R2
