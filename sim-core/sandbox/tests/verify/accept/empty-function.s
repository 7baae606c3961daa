# The smallest graft.
function f
        xor %eax,%eax
        return
