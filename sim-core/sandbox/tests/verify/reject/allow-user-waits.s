# Waits that other cores end.
function f
        umwait %eax                             # error: R2
        tpause %eax                             # error: R2
