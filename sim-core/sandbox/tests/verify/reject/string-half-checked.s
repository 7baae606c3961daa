# Only one pointer is re-based.
function f
        mov %edi,%edi
        add %gs:BASE_SLOT,%rdi
        rep movsb                               # error: R11
        nop
        mov %esi,%esi
        add %gs:BASE_SLOT,%rsi
        rep movsb                               # error: R11
