# The rounding mode and exception masks are the host's.
function f
        ldmxcsr 8(%rsp)                         # error: R2
        stmxcsr 8(%rsp)                         # error: R2
        vldmxcsr 8(%rsp)                        # error: R2
