# The sum goes beyond the limit, in either direction.
function f
        sub $0x8000,%rsp
        lea -0x7fff(%rsp),%rsp
        add $0x2,%rsp                           # error: R7
