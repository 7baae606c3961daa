# `lock` faults on what does not write memory.
function f
        .byte 0xf0,0x65,0x67,0x8b,0x07          # error: R1
