# An access 1.5 GiB away does not show where %rsp is.
function f
        1: sub $0x10000,%rsp
        mov %rax,0x60000000(%rsp)
        jmp 1b                                  # error: R7
