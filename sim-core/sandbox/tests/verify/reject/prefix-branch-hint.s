# A segment prefix on a branch.
function f
        .byte 0x2e,0x74,0x00                    # error: R3
