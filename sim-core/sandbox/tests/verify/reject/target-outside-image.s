# Below the sandbox, and behind the image.
function f
        jmp f-0x40000000                        # error: R8
        call f+0x10000000                       # error: R8
        jne f+0x2000                            # error: R8
