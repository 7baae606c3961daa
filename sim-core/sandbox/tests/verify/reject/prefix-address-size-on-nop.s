# A no-op with a 32-bit address.
function f
        nopl (%eax)                             # error: R3
