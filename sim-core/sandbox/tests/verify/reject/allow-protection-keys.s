# Protection keys are the host's.
function f
        wrpkru                                  # error: R2
        rdpkru                                  # error: R2
