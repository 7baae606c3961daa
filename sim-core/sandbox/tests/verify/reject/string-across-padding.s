# Fill between the re-base of a pointer and its use.
function f
        mov %edi,%edi
        add %gs:BASE_SLOT,%rdi
        .fill 9,1,0xcc
        stosb                                   # error: R11
