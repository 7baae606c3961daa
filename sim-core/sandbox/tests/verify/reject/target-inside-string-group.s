# At the string instruction, and between its pointers.
function f
        je 1f                                   # error: R8
        je 2f                                   # error: R8
        mov %esi,%esi
        add %gs:BASE_SLOT,%rsi
        1: mov %edi,%edi
        add %gs:BASE_SLOT,%rdi
        2: rep movsb
