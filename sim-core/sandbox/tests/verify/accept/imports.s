# Calls, tail calls and addresses of imports.
# imports: first second
function f
        call first
        landing
        mov second@GOTPCREL(%rip),%rax
        mov %eax,%eax
        cmpq $0x6e841f0f,%gs:(%eax)
        jne trap
        add %gs:BASE_SLOT,%rax
        call *%rax
        landing
        test %eax,%eax
        jne second
        jmp first
        .data
        x: .quad second
