# Vector and floating-point arithmetic.
function f
        movaps %xmm0,%gs:(%edi)
        movdqu %gs:(%edi),%xmm1
        addsd %gs:(%edi),%xmm0
        cvtsi2sdl %gs:(%edi),%xmm0
        cvttsd2si %xmm0,%rax
        sqrtsd %xmm0,%xmm0
        ucomisd %xmm0,%xmm1
        pshufd $0x1b,%xmm0,%xmm1
        pshufb x(%rip),%xmm0
        movq %xmm0,%rax
        pextrq $1,%xmm0,8(%rsp)
        roundsd $4,%xmm0,%xmm0
        vmovups %gs:(%edi),%ymm0
        vfmadd213ps %gs:(%edi),%ymm1,%ymm0
        vpermq $0x4e,%ymm0,%ymm1
        vblendvps %ymm0,%gs:(%edi),%ymm1,%ymm2
        vmaskmovps %ymm0,%ymm1,%gs:(%edi)
        vpmaskmovd 8(%rsp),%xmm1,%xmm0
        vcvtps2ph $0,%ymm0,%gs:(%edi)
        vzeroupper
        vextracti128 $1,%ymm0,%gs:(%edi)
        aesenc %xmm1,%xmm0
        pclmulqdq $0,%xmm1,%xmm0
        sha256rnds2 %xmm0,%xmm1,%xmm2
        prefetcht0 %gs:(%edi)
        movntdq %xmm0,%gs:(%edi)
        return
        .section .rodata
        .p2align 4
        x: .skip 16
