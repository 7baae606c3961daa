# The symbol points into an instruction.
function f
        1: movabs $0x1122334455667788,%rax      # error: R14
        .globl g
        .type g,@function
        .set g,1b+2
