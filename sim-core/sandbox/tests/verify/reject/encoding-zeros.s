# Zeros are a store to (%rax), not padding.
function f
        .byte 0,0                               # error: R4
