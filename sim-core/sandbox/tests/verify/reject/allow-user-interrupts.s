# User interrupts.
function f
        uiret                                   # error: R2
        clui                                    # error: R2
        stui                                    # error: R2
        testui                                  # error: R2
        senduipi %rax                           # error: R2
