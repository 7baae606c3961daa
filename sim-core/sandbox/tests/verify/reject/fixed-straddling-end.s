# The first byte lies in the image, the last does not.
function f
        mov trap+0x1000-4(%rip),%rax            # error: R5
