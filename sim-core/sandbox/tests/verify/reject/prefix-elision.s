# Lock elision starts a hardware transaction.
function f
        xacquire lock addl $1,%gs:(%edi)        # error: R3
        xrelease lock addl $1,%gs:(%edi)        # error: R3
