# The group on every register but %rsp.
function f
        mov %eax,%eax
        cmpq $0x6e841f0f,%gs:(%eax)
        jne trap
        add %gs:BASE_SLOT,%rax
        call *%rax
        landing
        mov %ebx,%ebx
        cmpq $0x6e841f0f,%gs:(%ebx)
        jne trap
        add %gs:BASE_SLOT,%rbx
        call *%rbx
        landing
        mov %ecx,%ecx
        cmpq $0x6e841f0f,%gs:(%ecx)
        jne trap
        add %gs:BASE_SLOT,%rcx
        call *%rcx
        landing
        mov %edx,%edx
        cmpq $0x6e841f0f,%gs:(%edx)
        jne trap
        add %gs:BASE_SLOT,%rdx
        call *%rdx
        landing
        mov %ebp,%ebp
        cmpq $0x6e841f0f,%gs:(%ebp)
        jne trap
        add %gs:BASE_SLOT,%rbp
        call *%rbp
        landing
        mov %esi,%esi
        cmpq $0x6e841f0f,%gs:(%esi)
        jne trap
        add %gs:BASE_SLOT,%rsi
        call *%rsi
        landing
        mov %edi,%edi
        cmpq $0x6e841f0f,%gs:(%edi)
        jne trap
        add %gs:BASE_SLOT,%rdi
        call *%rdi
        landing
        mov %r8d,%r8d
        cmpq $0x6e841f0f,%gs:(%r8d)
        jne trap
        add %gs:BASE_SLOT,%r8
        call *%r8
        landing
        mov %r9d,%r9d
        cmpq $0x6e841f0f,%gs:(%r9d)
        jne trap
        add %gs:BASE_SLOT,%r9
        call *%r9
        landing
        mov %r10d,%r10d
        cmpq $0x6e841f0f,%gs:(%r10d)
        jne trap
        add %gs:BASE_SLOT,%r10
        call *%r10
        landing
        mov %r11d,%r11d
        cmpq $0x6e841f0f,%gs:(%r11d)
        jne trap
        add %gs:BASE_SLOT,%r11
        call *%r11
        landing
        mov %r12d,%r12d
        cmpq $0x6e841f0f,%gs:(%r12d)
        jne trap
        add %gs:BASE_SLOT,%r12
        call *%r12
        landing
        mov %r13d,%r13d
        cmpq $0x6e841f0f,%gs:(%r13d)
        jne trap
        add %gs:BASE_SLOT,%r13
        call *%r13
        landing
        mov %r14d,%r14d
        cmpq $0x6e841f0f,%gs:(%r14d)
        jne trap
        add %gs:BASE_SLOT,%r14
        call *%r14
        landing
        mov %r15d,%r15d
        cmpq $0x6e841f0f,%gs:(%r15d)
        jne trap
        add %gs:BASE_SLOT,%r15
        call *%r15
        landing
        return
