# A repeat prefix, as old compilers wrote it.
function f
        rep ret                                 # error: R3
