# Branches on %rcx; the address-size prefix changes which register counts.
function f
        1: loop 1b                              # error: R2
        loope 1b                                # error: R2
        jrcxz 1b                                # error: R2
        jecxz 1b                                # error: R2
