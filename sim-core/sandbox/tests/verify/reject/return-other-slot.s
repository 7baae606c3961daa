# The checked word is not the one that ret pops.
function f
        mov 8(%rsp),%r11d
        cmpq $0x6d841f0f,%gs:(%r11d)
        jne trap
        add %gs:BASE_SLOT,%r11
        mov %r11,(%rsp)
        ret                                     # error: R10
