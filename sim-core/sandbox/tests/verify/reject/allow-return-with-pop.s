# The group does not know how much this return drops.
function f
        ret $8                                  # error: R2
