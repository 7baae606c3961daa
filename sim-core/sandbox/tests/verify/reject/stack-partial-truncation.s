# A 16-bit operation does not clear the upper half.
function f
        mov %ax,%sp                             # error: R6
        add %gs:BASE_SLOT,%rsp                  # error: R6
