# An absolute address below 4 GiB is the host's.
function f
        mov 0x10000,%eax                        # error: R4
        mov %eax,-8                             # error: R4
