# No group at all.
function f
        ret                                     # error: R10
