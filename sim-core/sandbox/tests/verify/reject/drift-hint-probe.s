# Prefetches, no-ops and lea access nothing.
function f
        1: sub $0x1000,%rsp
        prefetcht0 (%rsp)
        nopl (%rsp)
        lea (%rsp),%rax
        jmp 1b                                  # error: R7
