# Shadow-stack state is the host's.
function f
        rdsspq %rax                             # error: R2
        incsspq %rax                            # error: R2
        rstorssp %gs:(%edi)                     # error: R2
        endbr32                                 # error: R2
