# The pointer keeps its upper half.
function f
        mov %rdi,%rdi
        add %gs:BASE_SLOT,%rdi
        rep stosb                               # error: R11
