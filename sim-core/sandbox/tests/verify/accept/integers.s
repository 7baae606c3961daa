# What compilers emit for integers.
function f
        imul %rdi,%rax
        imul $1000,%gs:(%edi),%eax
        mul %rsi
        div %rcx
        idivl %gs:(%esi)
        cqo
        cltd
        shld $3,%rax,%rcx
        sar %cl,%rax
        rcr $1,%rax
        adc %rdx,%rcx
        sbb %eax,%eax
        movzbl %gs:(%edi),%eax
        movslq %edi,%rax
        bswap %rax
        bsr %rax,%rcx
        setne %al
        cmovg %rcx,%rax
        mulx %rax,%rcx,%rdx
        popcnt %rax,%rax
        tzcnt %rax,%rax
        lzcnt %rax,%rax
        andn %rax,%rcx,%rdx
        pext %rax,%rcx,%rdx
        shlx %rax,%rcx,%rdx
        adcx %rax,%rcx
        movbe %gs:(%edi),%rax
        crc32b %al,%ecx
        return
