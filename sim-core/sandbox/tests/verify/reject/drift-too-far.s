# One constant beyond the limit.
function f
        sub $0x10001,%rsp                       # error: R7
