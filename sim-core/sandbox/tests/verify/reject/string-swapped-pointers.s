# The group has one order.
function f
        mov %edi,%edi
        add %gs:BASE_SLOT,%rdi
        mov %esi,%esi
        add %gs:BASE_SLOT,%rsi
        rep movsb                               # error: R11
