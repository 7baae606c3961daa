# Instructions of a kernel; most would fault, none is left to that.
function f
        hlt                                     # error: R2
        cli                                     # error: R2
        sti                                     # error: R2
        clts                                    # error: R2
        invd                                    # error: R2
        wbinvd                                  # error: R2
        swapgs                                  # error: R2
        rdmsr                                   # error: R2
        wrmsr                                   # error: R2
        mov %rax,%cr3                           # error: R2
        mov %cr0,%rax                           # error: R2
        mov %rax,%db7                           # error: R2
        invlpg %gs:(%edi)                       # error: R2
        ltr %ax                                 # error: R2
        lgdt %gs:(%edi)                         # error: R2
