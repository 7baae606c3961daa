# Of two segment prefixes the last one counts, and not on every processor.
function f
        .byte 0x2e,0x65,0x67,0x89,0x07          # error: R1
