# A segment prefix moves the source.
function f
        mov %esi,%esi
        add %gs:BASE_SLOT,%rsi
        mov %edi,%edi
        add %gs:BASE_SLOT,%rdi
        rep movsb %fs:(%rsi),%es:(%rdi)         # error: R3
        movsb %gs:(%rsi),%es:(%rdi)             # error: R3
