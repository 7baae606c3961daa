# pop %rsp.
function f
        pop %rsp                                # error: R6
