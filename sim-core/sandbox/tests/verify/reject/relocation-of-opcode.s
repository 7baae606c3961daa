# A relocation that makes four instructions of one.
function f
        1: .reloc 1b,R_X86_64_PC32,f-0x6f6f6f68
        nopl 8(%rax)                            # error: R15
