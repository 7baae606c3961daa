# lea of anything but %rsp plus a constant.
function f
        lea (%rax),%rsp                         # error: R6
        lea 8(%rsp,%rax),%rsp                   # error: R6
        lea -8(%rbp),%rsp                       # error: R6
        lea f(%rip),%rsp                        # error: R6
        lea 8(%rsp),%sp                         # error: R6
