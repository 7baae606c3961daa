# `lock` faults on registers.
function f
        .byte 0xf0,0x01,0xc0                    # error: R1
