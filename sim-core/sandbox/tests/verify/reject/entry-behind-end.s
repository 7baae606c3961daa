# A global symbol at the very end of its section: padding is no function.
function f
        ud2
        .globl after
        after:                                  # error: R14
