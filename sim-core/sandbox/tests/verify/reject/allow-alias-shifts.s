# /6 of every shift, and /1 of the wide test.
function f
        .byte 0xc0,0xf0,0x01                    # error: R2
        .byte 0xd0,0xf0                         # error: R2
        .byte 0xd1,0xf0                         # error: R2
        .byte 0xd2,0xf0                         # error: R2
        .byte 0xd3,0xf0                         # error: R2
        .byte 0xf7,0xc8,1,0,0,0                 # error: R2
