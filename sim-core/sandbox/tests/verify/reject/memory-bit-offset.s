# The bit offset in a register reaches 2^60 bytes in either direction.
function f
        bt %rax,(%rsp)                          # error: R4
        bts %rax,(%rsp)                         # error: R4
        btr %rax,8(%rsp)                        # error: R4
        btc %eax,%gs:(%edi)                     # error: R4
        lock bts %rax,(%rsp)                    # error: R4
