# A relocation over a label.
        .globl f
        .type f,@function
f:
        .reloc f+4,R_X86_64_PC32,x
        target                                  # error: R15 R14
        .data
        x: .quad 0
