# Global functions are labelled; local ones need not be.
function f
        call local
        landing
        return
        .type local,@function
local:
        xor %eax,%eax
        return
