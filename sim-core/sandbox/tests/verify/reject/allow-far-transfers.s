# Far calls and jumps load a code segment.
function f
        ljmp *%gs:(%edi)                        # error: R2
        lcall *%gs:(%edi)                       # error: R2
