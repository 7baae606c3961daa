# A 32-bit address calculation, which compilers write otherwise.
function f
        lea (%edi,%esi),%eax                    # error: R3
        .byte 0x67,0x8d,0x04,0x25,0x10,0,0,0    # error: R3
