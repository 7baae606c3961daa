# What linkers make of a call through the global offset table.
function f
        .byte 0x67,0xe8,0,0,0,0                 # error: R1
        .byte 0x67,0xe9,0,0,0,0                 # error: R1
