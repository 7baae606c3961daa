# EVEX-encoded instructions and mask registers.
function f
        vaddps %zmm0,%zmm1,%zmm2                # error: R2
        vmovdqu8 8(%rsp),%xmm17                 # error: R2
        kmovw %eax,%k1                          # error: R2
