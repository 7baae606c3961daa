# String instructions behind their groups.
function f
        mov %edi,%edi
        add %gs:BASE_SLOT,%rdi
        rep stosb
        mov %edi,%edi
        add %gs:BASE_SLOT,%rdi
        stosw
        mov %esi,%esi
        add %gs:BASE_SLOT,%rsi
        mov %edi,%edi
        add %gs:BASE_SLOT,%rdi
        rep movsq
        mov %esi,%esi
        add %gs:BASE_SLOT,%rsi
        mov %edi,%edi
        add %gs:BASE_SLOT,%rdi
        movsl
        mov %edi,%edi
        add %gs:BASE_SLOT,%rdi
        rep stosq
        return
