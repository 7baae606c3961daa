# A prefix in front of a label makes a longer no-op of it.
function f
        .byte 0x66,0x0f,0x1f,0x84,0x6e,0,0,0,0  # error: R12
