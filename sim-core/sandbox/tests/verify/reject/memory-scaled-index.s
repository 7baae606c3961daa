# A 64-bit index times eight has 35 bits and more.
function f
        mov %gs:0x1000(,%rax,8),%rax            # error: R4
