//! SSE and SSE2: floating point, and what the x86-64 baseline offers for vectors.

use super::{Group, groups};

pub(super) const SSE: &[Group] = groups! {
    // SSE.
    Plain [W R]:
        Cvtss2si_r32_xmmm32 Cvtss2si_r64_xmmm32 Cvttss2si_r32_xmmm32 Cvttss2si_r64_xmmm32
        Movaps_xmm_xmmm128 Movaps_xmmm128_xmm Movhps_m64_xmm Movlps_m64_xmm Movmskps_r32_xmm
        Movntps_m128_xmm Movss_xmmm32_xmm Movups_xmm_xmmm128 Movups_xmmm128_xmm Sqrtps_xmm_xmmm128;
    Plain [RW R]:
        Addps_xmm_xmmm128 Addss_xmm_xmmm32 Andnps_xmm_xmmm128 Andps_xmm_xmmm128 Cvtsi2ss_xmm_rm32
        Cvtsi2ss_xmm_rm64 Divps_xmm_xmmm128 Divss_xmm_xmmm32 Maxps_xmm_xmmm128 Maxss_xmm_xmmm32
        Minps_xmm_xmmm128 Minss_xmm_xmmm32 Movhlps_xmm_xmm Movhps_xmm_m64 Movlhps_xmm_xmm
        Movlps_xmm_m64 Movss_xmm_xmmm32 Mulps_xmm_xmmm128 Mulss_xmm_xmmm32 Orps_xmm_xmmm128
        Sqrtss_xmm_xmmm32 Subps_xmm_xmmm128 Subss_xmm_xmmm32 Unpckhps_xmm_xmmm128
        Unpcklps_xmm_xmmm128 Xorps_xmm_xmmm128;
    Plain [R R]:
        Comiss_xmm_xmmm32 Ucomiss_xmm_xmmm32;
    Plain []:
        Sfence;
    Plain [RW R R]:
        Cmpps_xmm_xmmm128_imm8 Cmpss_xmm_xmmm32_imm8 Shufps_xmm_xmmm128_imm8;
    // SSE2.
    Plain [W R]:
        Cvtdq2pd_xmm_xmmm64 Cvtdq2ps_xmm_xmmm128 Cvtpd2dq_xmm_xmmm128 Cvtpd2ps_xmm_xmmm128
        Cvtps2dq_xmm_xmmm128 Cvtps2pd_xmm_xmmm64 Cvtsd2si_r32_xmmm64 Cvtsd2si_r64_xmmm64
        Cvttpd2dq_xmm_xmmm128 Cvttps2dq_xmm_xmmm128 Cvttsd2si_r32_xmmm64 Cvttsd2si_r64_xmmm64
        Movapd_xmm_xmmm128 Movapd_xmmm128_xmm Movd_xmm_rm32 Movd_rm32_xmm Movdqa_xmm_xmmm128
        Movdqa_xmmm128_xmm Movdqu_xmm_xmmm128 Movdqu_xmmm128_xmm Movhpd_m64_xmm Movlpd_m64_xmm
        Movmskpd_r32_xmm Movntdq_m128_xmm Movnti_m32_r32 Movnti_m64_r64 Movntpd_m128_xmm
        Movq_xmm_rm64 Movq_rm64_xmm Movq_xmm_xmmm64 Movq_xmmm64_xmm Movsd_xmmm64_xmm
        Movupd_xmm_xmmm128 Movupd_xmmm128_xmm Pmovmskb_r32_xmm Sqrtpd_xmm_xmmm128;
    Plain [RW R]:
        Addpd_xmm_xmmm128 Addsd_xmm_xmmm64 Andnpd_xmm_xmmm128 Andpd_xmm_xmmm128 Cvtsd2ss_xmm_xmmm64
        Cvtsi2sd_xmm_rm32 Cvtsi2sd_xmm_rm64 Cvtss2sd_xmm_xmmm32 Divpd_xmm_xmmm128 Divsd_xmm_xmmm64
        Maxpd_xmm_xmmm128 Maxsd_xmm_xmmm64 Minpd_xmm_xmmm128 Minsd_xmm_xmmm64 Movhpd_xmm_m64
        Movlpd_xmm_m64 Movsd_xmm_xmmm64 Mulpd_xmm_xmmm128 Mulsd_xmm_xmmm64 Orpd_xmm_xmmm128
        Packssdw_xmm_xmmm128 Packsswb_xmm_xmmm128 Packuswb_xmm_xmmm128 Paddb_xmm_xmmm128
        Paddd_xmm_xmmm128 Paddq_xmm_xmmm128 Paddsb_xmm_xmmm128 Paddsw_xmm_xmmm128
        Paddusb_xmm_xmmm128 Paddusw_xmm_xmmm128 Paddw_xmm_xmmm128 Pand_xmm_xmmm128
        Pandn_xmm_xmmm128 Pavgb_xmm_xmmm128 Pavgw_xmm_xmmm128 Pcmpeqb_xmm_xmmm128
        Pcmpeqd_xmm_xmmm128 Pcmpeqw_xmm_xmmm128 Pcmpgtb_xmm_xmmm128 Pcmpgtd_xmm_xmmm128
        Pcmpgtw_xmm_xmmm128 Pmaddwd_xmm_xmmm128 Pmaxsw_xmm_xmmm128 Pmaxub_xmm_xmmm128
        Pminsw_xmm_xmmm128 Pminub_xmm_xmmm128 Pmulhuw_xmm_xmmm128 Pmulhw_xmm_xmmm128
        Pmullw_xmm_xmmm128 Pmuludq_xmm_xmmm128 Por_xmm_xmmm128 Psadbw_xmm_xmmm128 Pslld_xmm_imm8
        Pslld_xmm_xmmm128 Pslldq_xmm_imm8 Psllq_xmm_imm8 Psllq_xmm_xmmm128 Psllw_xmm_imm8
        Psllw_xmm_xmmm128 Psrad_xmm_imm8 Psrad_xmm_xmmm128 Psraw_xmm_imm8 Psraw_xmm_xmmm128
        Psrld_xmm_imm8 Psrld_xmm_xmmm128 Psrldq_xmm_imm8 Psrlq_xmm_imm8 Psrlq_xmm_xmmm128
        Psrlw_xmm_imm8 Psrlw_xmm_xmmm128 Psubb_xmm_xmmm128 Psubd_xmm_xmmm128 Psubq_xmm_xmmm128
        Psubsb_xmm_xmmm128 Psubsw_xmm_xmmm128 Psubusb_xmm_xmmm128 Psubusw_xmm_xmmm128
        Psubw_xmm_xmmm128 Punpckhbw_xmm_xmmm128 Punpckhdq_xmm_xmmm128 Punpckhqdq_xmm_xmmm128
        Punpckhwd_xmm_xmmm128 Punpcklbw_xmm_xmmm128 Punpckldq_xmm_xmmm128 Punpcklqdq_xmm_xmmm128
        Punpcklwd_xmm_xmmm128 Pxor_xmm_xmmm128 Sqrtsd_xmm_xmmm64 Subpd_xmm_xmmm128 Subsd_xmm_xmmm64
        Unpckhpd_xmm_xmmm128 Unpcklpd_xmm_xmmm128 Xorpd_xmm_xmmm128;
    Plain [R R]:
        Comisd_xmm_xmmm64 Ucomisd_xmm_xmmm64;
    Plain [W R R]:
        Pextrw_r32_xmm_imm8 Pshufd_xmm_xmmm128_imm8 Pshufhw_xmm_xmmm128_imm8
        Pshuflw_xmm_xmmm128_imm8;
    Plain []:
        Lfence Mfence;
    Plain [RW R R]:
        Cmppd_xmm_xmmm128_imm8 Cmpsd_xmm_xmmm64_imm8 Pinsrw_xmm_r32m16_imm8 Shufpd_xmm_xmmm128_imm8;
};
