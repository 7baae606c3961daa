# Reads of kernel addresses and selectors.
function f
        sgdt 8(%rsp)                            # error: R2
        sidt 8(%rsp)                            # error: R2
        sldt %eax                               # error: R2
        str %eax                                # error: R2
        smsw %eax                               # error: R2
        lar %eax,%esp                           # error: R2
        lsl %eax,%eax                           # error: R2
        verr %ax                                # error: R2
