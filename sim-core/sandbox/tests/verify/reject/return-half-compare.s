# A 32-bit compare accepts half a label.
function f
        mov (%rsp),%r11d
        cmpl $0x6d841f0f,%gs:(%r11d)
        jne trap
        add %gs:BASE_SLOT,%r11
        mov %r11,(%rsp)
        ret                                     # error: R10
