# A gate that the object does not import.
# imports: allowed
function f
        call allowed
        landing
        jmp allowed+32                          # error: R8
