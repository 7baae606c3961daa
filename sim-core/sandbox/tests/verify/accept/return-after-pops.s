# The group follows any epilogue, and may be a target.
function f
        push %rbx
        test %edi,%edi
        je 1f
        pop %rbx
        return
        1: pop %rbx
        je 2f
        xor %eax,%eax
        2: return
