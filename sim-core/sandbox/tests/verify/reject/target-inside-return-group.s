# Behind the check of a return.
function f
        jmp 1f                                  # error: R8
        mov (%rsp),%r11d
        cmpq $0x6d841f0f,%gs:(%r11d)
        jne trap
        1: add %gs:BASE_SLOT,%r11
        mov %r11,(%rsp)
        ret
