# Flags that change what other instructions do: direction, alignment, trap.
function f
        std                                     # error: R2
        cld                                     # error: R2
        pushfq                                  # error: R2
        popfq                                   # error: R2
        sahf                                    # error: R2
        stac                                    # error: R2
