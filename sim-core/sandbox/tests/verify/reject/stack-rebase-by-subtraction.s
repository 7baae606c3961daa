# A subtraction instead of an addition.
function f
        mov %ebp,%esp                           # error: R6
        sub %gs:BASE_SLOT,%rsp                  # error: R6
