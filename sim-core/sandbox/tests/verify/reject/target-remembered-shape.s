# Branches of one shape go to different places.
function f
        jne f
        jne 1f
        jne 1f+3                                # error: R8
        1: movabs $0x1234567890,%rax
        ud2
