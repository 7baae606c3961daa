# Only half of the address is written.
function f
        mov (%rsp),%r11d
        cmpq $0x6d841f0f,%gs:(%r11d)
        jne trap
        add %gs:BASE_SLOT,%r11
        mov %r11d,(%rsp)
        ret                                     # error: R10
