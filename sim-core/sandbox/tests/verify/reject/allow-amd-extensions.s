# Encodings of one vendor: XOP, lightweight profiling, and the other cache-line waits.
function f
        .byte 0x8f,0xe8,0x70,0xcc,0xd8,0x10     # error: R2
        vphaddbw %xmm0,%xmm1                    # error: R2
        llwpcb %rax                             # error: R2
        lwpins $1,%eax,%ecx                     # error: R2
        monitorx                                # error: R2
        mwaitx                                  # error: R2
        rdpru                                   # error: R2
