# The offset is written back without its base.
function f
        mov (%rsp),%r11d
        cmpq $0x6d841f0f,%gs:(%r11d)
        jne trap
        mov %r11,(%rsp)
        ret                                     # error: R10
