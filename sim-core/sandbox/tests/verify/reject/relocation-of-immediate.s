# A distance in a constant makes data of code.
function f
        mov $x-.,%eax                           # error: R15
        .data
        x: .quad 0
