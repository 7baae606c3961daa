# Virtual machines and enclaves.
function f
        vmcall                                  # error: R2
        vmfunc                                  # error: R2
        vmrun                                   # error: R2
        enclu                                   # error: R2
        getsec                                  # error: R2
