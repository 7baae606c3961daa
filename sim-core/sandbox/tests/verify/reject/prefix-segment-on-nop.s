# No-ops carry %cs at most.
function f
        nopl %gs:(%rax)                         # error: R3
        nopl %fs:(%rax)                         # error: R3
