# push and pop have memory operands, too.
function f
        pushq (%rdi)                            # error: R4
        popq (%rdi)                             # error: R4
