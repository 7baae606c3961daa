# %fs is the thread of the host.
function f
        mov %fs:0x28,%rax                       # error: R3
        mov %rax,%fs:(%edi)                     # error: R3
