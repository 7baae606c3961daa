# Through memory, which may change after any check.
function f
        call *%gs:(%edi)                        # error: R9
        landing
        jmp *8(%rsp)                            # error: R9
        call *x(%rip)                           # error: R9
        .data
        x: .quad f
