# Instructions that leave the identity of the machine in %rsp.
function f
        rdpid %rsp                              # error: R2
        rdsspq %rsp                             # error: R2
        rdgsbase %rsp                           # error: R2
        rdrand %rsp                             # error: R2
        str %rsp                                # error: R2
        sldt %rsp                               # error: R2
        smsw %rsp                               # error: R2
        lar %ax,%rsp                            # error: R2
        lsl %ax,%rsp                            # error: R2
