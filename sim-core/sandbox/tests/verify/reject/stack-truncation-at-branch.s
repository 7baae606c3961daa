# A branch between the two of the group.
function f
        mov %ebp,%esp                           # error: R6
        jmp f
