# The pointer of the second store has moved beyond what was checked.
function f
        mov %edi,%edi
        add %gs:BASE_SLOT,%rdi
        stosb
        stosb                                   # error: R11
