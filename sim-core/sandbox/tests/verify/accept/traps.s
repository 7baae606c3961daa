# Stopping is always allowed.
function f
        ud2
        int3
        ud2
