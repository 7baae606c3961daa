# %r11 is the register of this group.
function f
        mov (%rsp),%ecx
        cmpq $0x6d841f0f,%gs:(%ecx)
        jne trap
        add %gs:BASE_SLOT,%rcx
        mov %rcx,(%rsp)
        ret                                     # error: R10
