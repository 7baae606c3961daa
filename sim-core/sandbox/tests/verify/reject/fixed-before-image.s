# Relative to %rip but before the image: gates and the info page.
function f
        mov f-0x100000(%rip),%rax               # error: R5
        mov %rax,f-0xf0000(%rip)                # error: R5
