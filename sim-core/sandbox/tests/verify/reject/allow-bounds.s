# MPX reads a table through a register that no operand shows.
function f
        bndmk 8(%rsp),%bnd0                     # error: R2
        bndldx 8(%rsp),%bnd0                    # error: R2
        bndmov %bnd0,8(%rsp)                    # error: R2
