# A label inside a displacement and the constant behind it.
function f
        movl $0,%gs:0x6e841f0f(%eax)            # error: R12
