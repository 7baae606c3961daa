# A 64-bit absolute address needs no register.
function f
        movabs %al,0x1122334455667788           # error: R2
        movabs 0x1122334455667788,%rax          # error: R2
