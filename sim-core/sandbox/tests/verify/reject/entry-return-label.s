# The label of returns is not one.
        .globl g
        .type g,@function
g:
        landing                                 # error: R14
        ud2
