# With the address-size prefix the pointers are host addresses.
function f
        mov %edi,%edi
        add %gs:BASE_SLOT,%rdi
        rep stosb %al,%es:(%edi)                # error: R11
