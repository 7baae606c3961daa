# enter and leave move %rbp into %rsp unchecked.
function f
        enter $16,$0                            # error: R2
        leave                                   # error: R2
