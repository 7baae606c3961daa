# lea moves as far as its displacement.
function f
        lea 0x7fffffff(%rsp),%rsp               # error: R7
