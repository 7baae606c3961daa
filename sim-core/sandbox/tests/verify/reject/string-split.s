# An instruction between re-base and store.
function f
        mov %edi,%edi
        add %gs:BASE_SLOT,%rdi
        add %rax,%rdi
        rep stosb                               # error: R11
