# No group at all.
function f
        rep movsb                               # error: R11
        rep stosq                               # error: R11
        movsq                                   # error: R11
        stosb                                   # error: R11
