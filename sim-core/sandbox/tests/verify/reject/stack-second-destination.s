# mulx has two destinations.
function f
        mulx %rax,%rsp,%rcx                     # error: R6
        mulx %rax,%rcx,%rsp                     # error: R6
        mulx %eax,%esp,%ecx                     # error: R6
