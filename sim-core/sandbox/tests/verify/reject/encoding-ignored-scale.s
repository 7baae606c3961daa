# A scale without an index scales nothing: `add %gs:BASE_SLOT(,%riz,4),%rax`, `mov 8(%rsp,%riz,2)`.
function f
        .byte 0x65,0x48,0x03,0x04,0xa5,0,0,1,0  # error: R1
        .byte 0x48,0x8b,0x44,0x64,0x08          # error: R1
        int3
