# movbe loads any register.
function f
        movbe 8(%rsp),%rsp                      # error: R6
