# Re-based with a word that the graft can write.
function f
        mov %ebp,%esp                           # error: R6
        add %gs:0x10008,%rsp                    # error: R6
        mov %ebp,%esp                           # error: R6
        add f(%rip),%rsp                        # error: R6
        mov %ebp,%esp                           # error: R6
        add %gs:BASE_SLOT(%eax),%rsp            # error: R6
