# A masked store may not access anything.
function f
        1: sub $0x1000,%rsp
        vmaskmovps %ymm0,%ymm1,(%rsp)
        jmp 1b                                  # error: R7
