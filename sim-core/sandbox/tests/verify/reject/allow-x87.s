# x87 state is the host's: pending exceptions and tags would leak into it.
function f
        fld1                                    # error: R2
        fldt 8(%rsp)                            # error: R2
        fninit                                  # error: R2
        fldcw 8(%rsp)                           # error: R2
        fnstcw 8(%rsp)                          # error: R2
        fnstenv 8(%rsp)                         # error: R2
        frstor 8(%rsp)                          # error: R2
        fwait                                   # error: R2
