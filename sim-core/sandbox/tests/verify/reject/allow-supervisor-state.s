# Save areas of a kernel.
function f
        xsaves 8(%rsp)                          # error: R2
        xrstors 8(%rsp)                         # error: R2
        xsaveopt 8(%rsp)                        # error: R2
        fxsave64 8(%rsp)                        # error: R2
        fxrstor64 8(%rsp)                       # error: R2
