# The entry stub and the info page are not for grafts.
function f
        jmp trap-0xe0000                        # error: R8
        call trap-0xf0000                       # error: R8
