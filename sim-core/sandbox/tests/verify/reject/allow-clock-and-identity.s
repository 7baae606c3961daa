# What differs between runs and machines breaks replay.
function f
        rdtsc                                   # error: R2
        rdtscp                                  # error: R2
        rdpmc                                   # error: R2
        cpuid                                   # error: R2
        rdpid %rax                              # error: R2
        xgetbv                                  # error: R2
        rdrand %rax                             # error: R2
        rdseed %eax                             # error: R2
