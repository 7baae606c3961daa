# Relative to %rip but behind the image.
function f
        mov f+0x100000(%rip),%rax               # error: R5
