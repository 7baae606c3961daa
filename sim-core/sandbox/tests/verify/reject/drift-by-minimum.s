# The smallest constant has no positive counterpart.
function f
        sub $-0x80000000,%rsp                   # error: R7
