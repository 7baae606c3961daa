# A label is a no-op wherever an instruction may be.
function f
        target
        landing
        test %eax,%eax
        je 1f
        landing
        1: target
        return
        2: target
        jmp 2b
