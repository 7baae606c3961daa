# Ports, and their string forms with implicit memory.
function f
        in $0x60,%al                            # error: R2
        out %al,%dx                             # error: R2
        insb                                    # error: R2
        outsl                                   # error: R2
