# Another register is moved into the pointer; only the form itself is known.
function f
        mov %eax,%edi
        add %gs:BASE_SLOT,%rdi
        rep stosb                               # error: R11
