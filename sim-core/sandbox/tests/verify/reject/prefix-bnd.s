# A bound prefix on a branch.
function f
        bnd jmp f                               # error: R3
