# lea computes any address.
function f
        lea (%rdi,%rsi,4),%rax
        lea 8(%rdi),%eax
        lea f(%rip),%rcx
        lea f+0x7000000(%rip),%rcx
        lea -8(%rsp),%rdx
        lea (%rsp,%rax),%rdx
        lea 0x10(,%rax,8),%rax
        lea (%rdi),%ax
        return
