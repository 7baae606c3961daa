# The other repeat prefix.
function f
        mov %edi,%edi
        add %gs:BASE_SLOT,%rdi
        .byte 0xf2,0xaa                         # error: R3
