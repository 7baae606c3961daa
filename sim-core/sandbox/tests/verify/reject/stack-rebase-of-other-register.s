# Another register is re-based.
function f
        mov %ebp,%esp                           # error: R6
        add %gs:BASE_SLOT,%rbp
