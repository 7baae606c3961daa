# Tile registers: a load walks memory by a stride that no operand bounds.
function f
        ldtilecfg %gs:(%edi)                    # error: R2
        tileloadd (%rdi,%rsi,1),%tmm0           # error: R2
        tilestored %tmm0,(%rdi,%rsi,1)          # error: R2
        tilerelease                             # error: R2
