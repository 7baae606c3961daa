# An aborted transaction continues at an address that is no branch target here.
function f
        xbegin 1f                               # error: R2
        1: xabort $1                            # error: R2
        xend                                    # error: R2
        xtest                                   # error: R2
