# Stores that go around the caches, masked by bytes or to a device.
function f
        vmaskmovdqu %xmm1,%xmm0                 # error: R2
        movdiri %eax,%gs:(%edi)                 # error: R2
        enqcmds %gs:(%edi),%eax                 # error: R2
        invpcid %gs:(%edi),%rax                 # error: R2
