# A prefetch through a host address is a side channel.
function f
        prefetcht0 (%rdi)                       # error: R4
