# The stack still holds what the graft left there.
function f
        mov (%rsp),%r11d
        cmpq $0x6d841f0f,%gs:(%r11d)
        jne trap
        add %gs:BASE_SLOT,%r11
        ret                                     # error: R10
