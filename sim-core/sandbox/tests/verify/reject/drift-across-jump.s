# A loop that walks %rsp out of the guards.
function f
        1: sub $8,%rsp
        jmp 1b                                  # error: R7
