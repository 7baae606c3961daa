# Stores of segment registers.
function f
        mov %ds,8(%rsp)                         # error: R2
        mov %ss,%gs:(%edi)                      # error: R2
        push %gs                                # error: R2
        pop %fs                                 # error: R2
