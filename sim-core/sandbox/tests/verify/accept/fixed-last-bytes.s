# The last bytes of the image.
function f
        mov trap+0x1000-8(%rip),%rax
        mov trap+0xfff(%rip),%al
        return
