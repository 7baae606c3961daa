# A relocation of the displacement that nothing uses.
function f
        1: .reloc 1b+3,R_X86_64_PC32,x
        nopl 0x12345678(%rax)                   # error: R15
        .data
        x: .quad 0
