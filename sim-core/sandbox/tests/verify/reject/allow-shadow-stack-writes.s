# Writes to shadow stacks.
function f
        wrssq %rax,%gs:(%edi)                   # error: R2
        wrussq %rax,%gs:(%edi)                  # error: R2
        saveprevssp                             # error: R2
        setssbsy                                # error: R2
        clrssbsy %gs:(%edi)                     # error: R2
