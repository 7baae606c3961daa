# Masked moves reach as far as others.
function f
        vmaskmovps %ymm0,%ymm1,(%rdi)           # error: R4
        vpmaskmovd (%rdi),%xmm1,%xmm0           # error: R4
