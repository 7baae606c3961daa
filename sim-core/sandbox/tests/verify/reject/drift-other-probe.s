# An access through another register shows nothing about %rsp.
function f
        1: sub $0x1000,%rsp
        mov %gs:(%esp),%rax
        jmp 1b                                  # error: R7
