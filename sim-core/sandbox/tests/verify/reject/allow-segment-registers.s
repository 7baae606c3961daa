# Loading a segment register changes where memory is.
function f
        mov %eax,%ds                            # error: R2
        mov %ds,%eax                            # error: R2
        push %fs                                # error: R2
        pop %gs                                 # error: R2
        lfs %gs:(%edi),%eax                     # error: R2
        lss %gs:(%edi),%esp                     # error: R2
