# The verifier remembers shapes that passed; displacements are no part of a shape.
function f
        mov %gs:BASE_SLOT,%rax
        mov %gs:0x7fffffff,%rax
        mov %gs:-8,%rax                         # error: R5
        mov x(%rip),%rax
        mov f+0x40000000(%rip),%rax             # error: R5
        mov f-0x40000000(%rip),%rax             # error: R5
        add %gs:BASE_SLOT,%rbx
        add %gs:-BASE_SLOT,%rbx                 # error: R5
        ud2
        .data
        x: .quad 0
