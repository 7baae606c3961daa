# Approximations differ between vendors.
function f
        rcpss %xmm0,%xmm0                       # error: R2
        rsqrtss %xmm0,%xmm0                     # error: R2
        rcpps %xmm0,%xmm0                       # error: R2
        vrsqrtps %ymm0,%ymm0                    # error: R2
