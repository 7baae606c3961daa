# Fill between the halves of a group, of any length, is no part of it.
function f
        mov (%rsp),%r11d
        cmpq $0x6d841f0f,%gs:(%r11d)
        jne trap
        .fill 40,1,0xcc
        add %gs:BASE_SLOT,%r11
        mov %r11,(%rsp)
        ret                                     # error: R10
function g
        mov (%rsp),%r11d
        cmpq $0x6d841f0f,%gs:(%r11d)
        jne trap
        int3
        add %gs:BASE_SLOT,%r11
        mov %r11,(%rsp)
        ret                                     # error: R10
