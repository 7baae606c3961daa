# Memory that no operand shows, or that is larger than shown.
function f
        xlatb                                   # error: R2
        maskmovdqu %xmm1,%xmm0                  # error: R2
        clzero                                  # error: R2
        monitor                                 # error: R2
        mwait                                   # error: R2
        umonitor %rax                           # error: R2
        movdir64b %gs:(%edi),%eax               # error: R2
        enqcmd %gs:(%edi),%eax                  # error: R2
        ptwrite %rax                            # error: R2
