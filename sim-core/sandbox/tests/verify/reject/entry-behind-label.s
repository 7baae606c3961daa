# The entry lies behind its label.
function f
        .globl g
        .type g,@function
g:
        ud2                                     # error: R14
