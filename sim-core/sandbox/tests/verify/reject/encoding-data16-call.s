# The same for calls.
function f
        .byte 0x66,0xe8,0,0,0,0                 # error: R1
