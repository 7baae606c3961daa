# REX.W does nothing to a push.
function f
        .byte 0x48,0x50                         # error: R1
