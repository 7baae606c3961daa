# The symbol points behind a check.
function f
        mov %eax,%eax
        cmpq $0x6e841f0f,%gs:(%eax)
        jne trap
        .globl g
        .type g,@function
g:
        add %gs:BASE_SLOT,%rax                  # error: R14
        jmp *%rax
