# Truncated to 32 bits, the address next to the code is the host's.
function f
        mov 0(%eip),%eax                        # error: R4
