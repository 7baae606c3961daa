# Of the string instructions only movs and stos have a group.
function f
        lodsb                                   # error: R2
        rep lodsq                               # error: R2
        cmpsb                                   # error: R2
        repe cmpsb                              # error: R2
        scasb                                   # error: R2
        repne scasb                             # error: R2
