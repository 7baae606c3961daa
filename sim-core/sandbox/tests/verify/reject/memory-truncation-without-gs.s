# 32-bit registers without %gs reach the low 4 GiB of the host.
function f
        mov (%edi),%eax                         # error: R4
        mov %eax,(%edi)                         # error: R4
