# stos writes through %rdi.
function f
        mov %esi,%esi
        add %gs:BASE_SLOT,%rsi
        rep stosb                               # error: R11
