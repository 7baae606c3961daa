# What follows a trap is reached from elsewhere.
function f
        sub $0x18,%rsp
        ud2
        1: test %eax,%eax
        jne 1b
        return
