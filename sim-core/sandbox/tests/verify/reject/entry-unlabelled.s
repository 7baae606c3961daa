# A function that the host may call starts with the target label.
        .globl g
        .type g,@function
g:
        ud2                                     # error: R14
