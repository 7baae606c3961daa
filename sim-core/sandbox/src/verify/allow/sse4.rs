//! SSE3 to SSE4.2: vector code compiled with `-march=x86-64-v2`.

use super::{Group, groups};

pub(super) const SSE4: &[Group] = groups! {
    // SSE3.
    Plain [W R]:
        Lddqu_xmm_m128 Movddup_xmm_xmmm64 Movshdup_xmm_xmmm128 Movsldup_xmm_xmmm128;
    Plain [RW R]:
        Addsubpd_xmm_xmmm128 Addsubps_xmm_xmmm128 Haddpd_xmm_xmmm128 Haddps_xmm_xmmm128
        Hsubpd_xmm_xmmm128 Hsubps_xmm_xmmm128;
    // SSE4.1.
    Plain [RW R]:
        Blendvpd_xmm_xmmm128 Blendvps_xmm_xmmm128 Packusdw_xmm_xmmm128 Pblendvb_xmm_xmmm128
        Pcmpeqq_xmm_xmmm128 Pmaxsb_xmm_xmmm128 Pmaxsd_xmm_xmmm128 Pmaxud_xmm_xmmm128
        Pmaxuw_xmm_xmmm128 Pminsb_xmm_xmmm128 Pminsd_xmm_xmmm128 Pminud_xmm_xmmm128
        Pminuw_xmm_xmmm128 Pmuldq_xmm_xmmm128 Pmulld_xmm_xmmm128;
    Plain [R R]:
        Ptest_xmm_xmmm128;
    Plain [W R]:
        Movntdqa_xmm_m128 Phminposuw_xmm_xmmm128 Pmovsxbd_xmm_xmmm32 Pmovsxbq_xmm_xmmm16
        Pmovsxbw_xmm_xmmm64 Pmovsxdq_xmm_xmmm64 Pmovsxwd_xmm_xmmm64 Pmovsxwq_xmm_xmmm32
        Pmovzxbd_xmm_xmmm32 Pmovzxbq_xmm_xmmm16 Pmovzxbw_xmm_xmmm64 Pmovzxdq_xmm_xmmm64
        Pmovzxwd_xmm_xmmm64 Pmovzxwq_xmm_xmmm32;
    Plain [W R R]:
        Extractps_rm32_xmm_imm8 Pextrb_r32m8_xmm_imm8 Pextrd_rm32_xmm_imm8 Pextrq_rm64_xmm_imm8
        Pextrw_r32m16_xmm_imm8 Roundpd_xmm_xmmm128_imm8 Roundps_xmm_xmmm128_imm8;
    Plain [RW R R]:
        Blendpd_xmm_xmmm128_imm8 Blendps_xmm_xmmm128_imm8 Dppd_xmm_xmmm128_imm8
        Dpps_xmm_xmmm128_imm8 Insertps_xmm_xmmm32_imm8 Mpsadbw_xmm_xmmm128_imm8
        Pblendw_xmm_xmmm128_imm8 Pinsrb_xmm_r32m8_imm8 Pinsrd_xmm_rm32_imm8 Pinsrq_xmm_rm64_imm8
        Roundsd_xmm_xmmm64_imm8 Roundss_xmm_xmmm32_imm8;
    // SSE4.2.
    Plain [RW R]:
        Pcmpgtq_xmm_xmmm128;
    Plain [R R R]:
        Pcmpestri_xmm_xmmm128_imm8 Pcmpestrm_xmm_xmmm128_imm8 Pcmpistri_xmm_xmmm128_imm8
        Pcmpistrm_xmm_xmmm128_imm8;
    // SSSE3.
    Plain [RW R]:
        Phaddd_xmm_xmmm128 Phaddsw_xmm_xmmm128 Phaddw_xmm_xmmm128 Phsubd_xmm_xmmm128
        Phsubsw_xmm_xmmm128 Phsubw_xmm_xmmm128 Pmaddubsw_xmm_xmmm128 Pmulhrsw_xmm_xmmm128
        Pshufb_xmm_xmmm128 Psignb_xmm_xmmm128 Psignd_xmm_xmmm128 Psignw_xmm_xmmm128;
    Plain [W R]:
        Pabsb_xmm_xmmm128 Pabsd_xmm_xmmm128 Pabsw_xmm_xmmm128;
    Plain [RW R R]:
        Palignr_xmm_xmmm128_imm8;
};
