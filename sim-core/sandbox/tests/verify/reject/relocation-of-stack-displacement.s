# A relocation of a displacement that is not relative to %rip.
function f
        1: .reloc 1b+4,R_X86_64_PC32,f
        mov 0x12345678(%rsp),%rax               # error: R15
