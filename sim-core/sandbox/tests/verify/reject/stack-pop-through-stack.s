# pop finds its address after it moved %rsp.
function f
        popq 8(%rsp)                            # error: R6
