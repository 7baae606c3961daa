# Instructions that act on cache lines.
function f
        clflush %gs:(%edi)                      # error: R2
        clflushopt %gs:(%edi)                   # error: R2
        clwb %gs:(%edi)                         # error: R2
        cldemote %gs:(%edi)                     # error: R2
        prefetchw %gs:(%edi)                    # error: R2
