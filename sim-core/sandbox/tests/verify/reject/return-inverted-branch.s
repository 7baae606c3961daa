# je leaves when the label is right.
function f
        mov (%rsp),%r11d
        cmpq $0x6d841f0f,%gs:(%r11d)
        je trap
        add %gs:BASE_SLOT,%r11
        mov %r11,(%rsp)
        ret                                     # error: R10
