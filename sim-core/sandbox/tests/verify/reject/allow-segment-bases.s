# The base of %gs is the sandbox.
function f
        wrgsbase %rax                           # error: R2
        wrfsbase %rax                           # error: R2
        rdgsbase %rax                           # error: R2
        rdfsbase %rsp                           # error: R2
