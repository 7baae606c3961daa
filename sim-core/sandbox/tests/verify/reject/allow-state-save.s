# Save areas hold control state.
function f
        fxsave 8(%rsp)                          # error: R2
        fxrstor 8(%rsp)                         # error: R2
        xsave 8(%rsp)                           # error: R2
        xrstor 8(%rsp)                          # error: R2
        xsavec 8(%rsp)                          # error: R2
        xsetbv                                  # error: R2
