# Near misses of a label.
function f
        movabs $0x010000006e841f0f,%rax
        movabs $0x000000016e841f0f,%rax
        movabs $0x000000006f841f0f,%rax
        nopl 0x0(%rax,%rax,1)
        mov $0x6e841f0f,%eax
        return
