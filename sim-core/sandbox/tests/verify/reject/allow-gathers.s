# A gather reads through a vector of 64-bit indices.
function f
        vpgatherdd %xmm0,(%rax,%xmm1,4),%xmm2   # error: R2
        vgatherqpd %ymm0,(%rax,%ymm1,8),%ymm2   # error: R2
