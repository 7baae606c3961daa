# The same, when the branch comes after the group.
function f
        mov %edi,%edi
        1: add %gs:BASE_SLOT,%rdi
        stosb
        jmp 1b                                  # error: R8
