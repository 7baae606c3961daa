# The instrumented forms of the ABI, as macros.
        .macro TARGET
        .byte 0x0f, 0x1f, 0x84, 0x6e, 0, 0, 0, 0
        .endm
        .macro RETSITE
        .byte 0x0f, 0x1f, 0x84, 0x6d, 0, 0, 0, 0
        .endm
        .macro FUNCTION name
        .globl \name
        .type \name, @function
\name:  TARGET
        .endm
        .macro DIRECT_CALL name
        call \name
        RETSITE
        .endm
        .macro RETURN
        movl (%rsp), %r11d
        cmpq $0x6d841f0f, %gs:(%r11d)
        jne fail
        addq %gs:0x10000, %r11
        movq %r11, (%rsp)
        ret
        .endm
        # CHECKED %eax, %rax: makes %rax a target that may be called.
        .macro CHECKED low, full
        movl \low, \low
        cmpq $0x6e841f0f, %gs:(\low)
        jne fail
        addq %gs:0x10000, \full
        .endm

        .text
fail:   int3
