//! AVX: vector and floating-point code compiled with `-mavx`.

use super::{Group, groups};

pub(super) const AVX: &[Group] = groups! {
    // AVX.
    Plain [W R]:
        VEX_Vbroadcastf128_ymm_m128 VEX_Vbroadcastsd_ymm_m64 VEX_Vbroadcastss_xmm_m32
        VEX_Vbroadcastss_ymm_m32 VEX_Vcvtdq2pd_xmm_xmmm64 VEX_Vcvtdq2pd_ymm_xmmm128
        VEX_Vcvtdq2ps_xmm_xmmm128 VEX_Vcvtdq2ps_ymm_ymmm256 VEX_Vcvtpd2dq_xmm_xmmm128
        VEX_Vcvtpd2dq_xmm_ymmm256 VEX_Vcvtpd2ps_xmm_xmmm128 VEX_Vcvtpd2ps_xmm_ymmm256
        VEX_Vcvtps2dq_xmm_xmmm128 VEX_Vcvtps2dq_ymm_ymmm256 VEX_Vcvtps2pd_xmm_xmmm64
        VEX_Vcvtps2pd_ymm_xmmm128 VEX_Vcvtsd2si_r32_xmmm64 VEX_Vcvtsd2si_r64_xmmm64
        VEX_Vcvtss2si_r32_xmmm32 VEX_Vcvtss2si_r64_xmmm32 VEX_Vcvttpd2dq_xmm_xmmm128
        VEX_Vcvttpd2dq_xmm_ymmm256 VEX_Vcvttps2dq_xmm_xmmm128 VEX_Vcvttps2dq_ymm_ymmm256
        VEX_Vcvttsd2si_r32_xmmm64 VEX_Vcvttsd2si_r64_xmmm64 VEX_Vcvttss2si_r32_xmmm32
        VEX_Vcvttss2si_r64_xmmm32 VEX_Vlddqu_xmm_m128 VEX_Vlddqu_ymm_m256 VEX_Vmovapd_xmm_xmmm128
        VEX_Vmovapd_ymm_ymmm256 VEX_Vmovapd_xmmm128_xmm VEX_Vmovapd_ymmm256_ymm
        VEX_Vmovaps_xmm_xmmm128 VEX_Vmovaps_ymm_ymmm256 VEX_Vmovaps_xmmm128_xmm
        VEX_Vmovaps_ymmm256_ymm VEX_Vmovd_xmm_rm32 VEX_Vmovd_rm32_xmm VEX_Vmovddup_xmm_xmmm64
        VEX_Vmovddup_ymm_ymmm256 VEX_Vmovdqa_xmm_xmmm128 VEX_Vmovdqa_ymm_ymmm256
        VEX_Vmovdqa_xmmm128_xmm VEX_Vmovdqa_ymmm256_ymm VEX_Vmovdqu_xmm_xmmm128
        VEX_Vmovdqu_ymm_ymmm256 VEX_Vmovdqu_xmmm128_xmm VEX_Vmovdqu_ymmm256_ymm VEX_Vmovhpd_m64_xmm
        VEX_Vmovhps_m64_xmm VEX_Vmovlpd_m64_xmm VEX_Vmovlps_m64_xmm VEX_Vmovmskpd_r32_xmm
        VEX_Vmovmskpd_r32_ymm VEX_Vmovmskps_r32_xmm VEX_Vmovmskps_r32_ymm VEX_Vmovntdq_m128_xmm
        VEX_Vmovntdq_m256_ymm VEX_Vmovntdqa_xmm_m128 VEX_Vmovntpd_m128_xmm VEX_Vmovntpd_m256_ymm
        VEX_Vmovntps_m128_xmm VEX_Vmovntps_m256_ymm VEX_Vmovq_xmm_rm64 VEX_Vmovq_rm64_xmm
        VEX_Vmovq_xmm_xmmm64 VEX_Vmovq_xmmm64_xmm VEX_Vmovsd_xmm_m64 VEX_Vmovsd_m64_xmm
        VEX_Vmovshdup_xmm_xmmm128 VEX_Vmovshdup_ymm_ymmm256 VEX_Vmovsldup_xmm_xmmm128
        VEX_Vmovsldup_ymm_ymmm256 VEX_Vmovss_xmm_m32 VEX_Vmovss_m32_xmm VEX_Vmovupd_xmm_xmmm128
        VEX_Vmovupd_ymm_ymmm256 VEX_Vmovupd_xmmm128_xmm VEX_Vmovupd_ymmm256_ymm
        VEX_Vmovups_xmm_xmmm128 VEX_Vmovups_ymm_ymmm256 VEX_Vmovups_xmmm128_xmm
        VEX_Vmovups_ymmm256_ymm VEX_Vpabsb_xmm_xmmm128 VEX_Vpabsd_xmm_xmmm128
        VEX_Vpabsw_xmm_xmmm128 VEX_Vphminposuw_xmm_xmmm128 VEX_Vpmovmskb_r32_xmm
        VEX_Vpmovsxbd_xmm_xmmm32 VEX_Vpmovsxbq_xmm_xmmm16 VEX_Vpmovsxbw_xmm_xmmm64
        VEX_Vpmovsxdq_xmm_xmmm64 VEX_Vpmovsxwd_xmm_xmmm64 VEX_Vpmovsxwq_xmm_xmmm32
        VEX_Vpmovzxbd_xmm_xmmm32 VEX_Vpmovzxbq_xmm_xmmm16 VEX_Vpmovzxbw_xmm_xmmm64
        VEX_Vpmovzxdq_xmm_xmmm64 VEX_Vpmovzxwd_xmm_xmmm64 VEX_Vpmovzxwq_xmm_xmmm32
        VEX_Vsqrtpd_xmm_xmmm128 VEX_Vsqrtpd_ymm_ymmm256 VEX_Vsqrtps_xmm_xmmm128
        VEX_Vsqrtps_ymm_ymmm256;
    Plain [W R R]:
        VEX_Vaddpd_xmm_xmm_xmmm128 VEX_Vaddpd_ymm_ymm_ymmm256 VEX_Vaddps_xmm_xmm_xmmm128
        VEX_Vaddps_ymm_ymm_ymmm256 VEX_Vaddsd_xmm_xmm_xmmm64 VEX_Vaddss_xmm_xmm_xmmm32
        VEX_Vaddsubpd_xmm_xmm_xmmm128 VEX_Vaddsubpd_ymm_ymm_ymmm256 VEX_Vaddsubps_xmm_xmm_xmmm128
        VEX_Vaddsubps_ymm_ymm_ymmm256 VEX_Vandnpd_xmm_xmm_xmmm128 VEX_Vandnpd_ymm_ymm_ymmm256
        VEX_Vandnps_xmm_xmm_xmmm128 VEX_Vandnps_ymm_ymm_ymmm256 VEX_Vandpd_xmm_xmm_xmmm128
        VEX_Vandpd_ymm_ymm_ymmm256 VEX_Vandps_xmm_xmm_xmmm128 VEX_Vandps_ymm_ymm_ymmm256
        VEX_Vcvtsd2ss_xmm_xmm_xmmm64 VEX_Vcvtsi2sd_xmm_xmm_rm32 VEX_Vcvtsi2sd_xmm_xmm_rm64
        VEX_Vcvtsi2ss_xmm_xmm_rm32 VEX_Vcvtsi2ss_xmm_xmm_rm64 VEX_Vcvtss2sd_xmm_xmm_xmmm32
        VEX_Vdivpd_xmm_xmm_xmmm128 VEX_Vdivpd_ymm_ymm_ymmm256 VEX_Vdivps_xmm_xmm_xmmm128
        VEX_Vdivps_ymm_ymm_ymmm256 VEX_Vdivsd_xmm_xmm_xmmm64 VEX_Vdivss_xmm_xmm_xmmm32
        VEX_Vextractf128_xmmm128_ymm_imm8 VEX_Vextractps_rm32_xmm_imm8 VEX_Vhaddpd_xmm_xmm_xmmm128
        VEX_Vhaddpd_ymm_ymm_ymmm256 VEX_Vhaddps_xmm_xmm_xmmm128 VEX_Vhaddps_ymm_ymm_ymmm256
        VEX_Vhsubpd_xmm_xmm_xmmm128 VEX_Vhsubpd_ymm_ymm_ymmm256 VEX_Vhsubps_xmm_xmm_xmmm128
        VEX_Vhsubps_ymm_ymm_ymmm256 VEX_Vmaxpd_xmm_xmm_xmmm128 VEX_Vmaxpd_ymm_ymm_ymmm256
        VEX_Vmaxps_xmm_xmm_xmmm128 VEX_Vmaxps_ymm_ymm_ymmm256 VEX_Vmaxsd_xmm_xmm_xmmm64
        VEX_Vmaxss_xmm_xmm_xmmm32 VEX_Vminpd_xmm_xmm_xmmm128 VEX_Vminpd_ymm_ymm_ymmm256
        VEX_Vminps_xmm_xmm_xmmm128 VEX_Vminps_ymm_ymm_ymmm256 VEX_Vminsd_xmm_xmm_xmmm64
        VEX_Vminss_xmm_xmm_xmmm32 VEX_Vmovhlps_xmm_xmm_xmm VEX_Vmovhpd_xmm_xmm_m64
        VEX_Vmovhps_xmm_xmm_m64 VEX_Vmovlhps_xmm_xmm_xmm VEX_Vmovlpd_xmm_xmm_m64
        VEX_Vmovlps_xmm_xmm_m64 VEX_Vmovsd_xmm_xmm_xmm VEX_Vmovsd_xmm_xmm_xmm_0F11
        VEX_Vmovss_xmm_xmm_xmm VEX_Vmovss_xmm_xmm_xmm_0F11 VEX_Vmulpd_xmm_xmm_xmmm128
        VEX_Vmulpd_ymm_ymm_ymmm256 VEX_Vmulps_xmm_xmm_xmmm128 VEX_Vmulps_ymm_ymm_ymmm256
        VEX_Vmulsd_xmm_xmm_xmmm64 VEX_Vmulss_xmm_xmm_xmmm32 VEX_Vorpd_xmm_xmm_xmmm128
        VEX_Vorpd_ymm_ymm_ymmm256 VEX_Vorps_xmm_xmm_xmmm128 VEX_Vorps_ymm_ymm_ymmm256
        VEX_Vpackssdw_xmm_xmm_xmmm128 VEX_Vpacksswb_xmm_xmm_xmmm128 VEX_Vpackusdw_xmm_xmm_xmmm128
        VEX_Vpackuswb_xmm_xmm_xmmm128 VEX_Vpaddb_xmm_xmm_xmmm128 VEX_Vpaddd_xmm_xmm_xmmm128
        VEX_Vpaddq_xmm_xmm_xmmm128 VEX_Vpaddsb_xmm_xmm_xmmm128 VEX_Vpaddsw_xmm_xmm_xmmm128
        VEX_Vpaddusb_xmm_xmm_xmmm128 VEX_Vpaddusw_xmm_xmm_xmmm128 VEX_Vpaddw_xmm_xmm_xmmm128
        VEX_Vpand_xmm_xmm_xmmm128 VEX_Vpandn_xmm_xmm_xmmm128 VEX_Vpavgb_xmm_xmm_xmmm128
        VEX_Vpavgw_xmm_xmm_xmmm128 VEX_Vpcmpeqb_xmm_xmm_xmmm128 VEX_Vpcmpeqd_xmm_xmm_xmmm128
        VEX_Vpcmpeqq_xmm_xmm_xmmm128 VEX_Vpcmpeqw_xmm_xmm_xmmm128 VEX_Vpcmpgtb_xmm_xmm_xmmm128
        VEX_Vpcmpgtd_xmm_xmm_xmmm128 VEX_Vpcmpgtq_xmm_xmm_xmmm128 VEX_Vpcmpgtw_xmm_xmm_xmmm128
        VEX_Vpermilpd_xmm_xmm_xmmm128 VEX_Vpermilpd_ymm_ymm_ymmm256 VEX_Vpermilpd_xmm_xmmm128_imm8
        VEX_Vpermilpd_ymm_ymmm256_imm8 VEX_Vpermilps_xmm_xmm_xmmm128 VEX_Vpermilps_ymm_ymm_ymmm256
        VEX_Vpermilps_xmm_xmmm128_imm8 VEX_Vpermilps_ymm_ymmm256_imm8 VEX_Vpextrb_r32m8_xmm_imm8
        VEX_Vpextrd_rm32_xmm_imm8 VEX_Vpextrq_rm64_xmm_imm8 VEX_Vpextrw_r32_xmm_imm8
        VEX_Vpextrw_r32m16_xmm_imm8 VEX_Vphaddd_xmm_xmm_xmmm128 VEX_Vphaddsw_xmm_xmm_xmmm128
        VEX_Vphaddw_xmm_xmm_xmmm128 VEX_Vphsubd_xmm_xmm_xmmm128 VEX_Vphsubsw_xmm_xmm_xmmm128
        VEX_Vphsubw_xmm_xmm_xmmm128 VEX_Vpmaddubsw_xmm_xmm_xmmm128 VEX_Vpmaddwd_xmm_xmm_xmmm128
        VEX_Vpmaxsb_xmm_xmm_xmmm128 VEX_Vpmaxsd_xmm_xmm_xmmm128 VEX_Vpmaxsw_xmm_xmm_xmmm128
        VEX_Vpmaxub_xmm_xmm_xmmm128 VEX_Vpmaxud_xmm_xmm_xmmm128 VEX_Vpmaxuw_xmm_xmm_xmmm128
        VEX_Vpminsb_xmm_xmm_xmmm128 VEX_Vpminsd_xmm_xmm_xmmm128 VEX_Vpminsw_xmm_xmm_xmmm128
        VEX_Vpminub_xmm_xmm_xmmm128 VEX_Vpminud_xmm_xmm_xmmm128 VEX_Vpminuw_xmm_xmm_xmmm128
        VEX_Vpmuldq_xmm_xmm_xmmm128 VEX_Vpmulhrsw_xmm_xmm_xmmm128 VEX_Vpmulhuw_xmm_xmm_xmmm128
        VEX_Vpmulhw_xmm_xmm_xmmm128 VEX_Vpmulld_xmm_xmm_xmmm128 VEX_Vpmullw_xmm_xmm_xmmm128
        VEX_Vpmuludq_xmm_xmm_xmmm128 VEX_Vpor_xmm_xmm_xmmm128 VEX_Vpsadbw_xmm_xmm_xmmm128
        VEX_Vpshufb_xmm_xmm_xmmm128 VEX_Vpshufd_xmm_xmmm128_imm8 VEX_Vpshufhw_xmm_xmmm128_imm8
        VEX_Vpshuflw_xmm_xmmm128_imm8 VEX_Vpsignb_xmm_xmm_xmmm128 VEX_Vpsignd_xmm_xmm_xmmm128
        VEX_Vpsignw_xmm_xmm_xmmm128 VEX_Vpslld_xmm_xmm_imm8 VEX_Vpslld_xmm_xmm_xmmm128
        VEX_Vpslldq_xmm_xmm_imm8 VEX_Vpsllq_xmm_xmm_imm8 VEX_Vpsllq_xmm_xmm_xmmm128
        VEX_Vpsllw_xmm_xmm_imm8 VEX_Vpsllw_xmm_xmm_xmmm128 VEX_Vpsrad_xmm_xmm_imm8
        VEX_Vpsrad_xmm_xmm_xmmm128 VEX_Vpsraw_xmm_xmm_imm8 VEX_Vpsraw_xmm_xmm_xmmm128
        VEX_Vpsrld_xmm_xmm_imm8 VEX_Vpsrld_xmm_xmm_xmmm128 VEX_Vpsrldq_xmm_xmm_imm8
        VEX_Vpsrlq_xmm_xmm_imm8 VEX_Vpsrlq_xmm_xmm_xmmm128 VEX_Vpsrlw_xmm_xmm_imm8
        VEX_Vpsrlw_xmm_xmm_xmmm128 VEX_Vpsubb_xmm_xmm_xmmm128 VEX_Vpsubd_xmm_xmm_xmmm128
        VEX_Vpsubq_xmm_xmm_xmmm128 VEX_Vpsubsb_xmm_xmm_xmmm128 VEX_Vpsubsw_xmm_xmm_xmmm128
        VEX_Vpsubusb_xmm_xmm_xmmm128 VEX_Vpsubusw_xmm_xmm_xmmm128 VEX_Vpsubw_xmm_xmm_xmmm128
        VEX_Vpunpckhbw_xmm_xmm_xmmm128 VEX_Vpunpckhdq_xmm_xmm_xmmm128
        VEX_Vpunpckhqdq_xmm_xmm_xmmm128 VEX_Vpunpckhwd_xmm_xmm_xmmm128
        VEX_Vpunpcklbw_xmm_xmm_xmmm128 VEX_Vpunpckldq_xmm_xmm_xmmm128
        VEX_Vpunpcklqdq_xmm_xmm_xmmm128 VEX_Vpunpcklwd_xmm_xmm_xmmm128 VEX_Vpxor_xmm_xmm_xmmm128
        VEX_Vroundpd_xmm_xmmm128_imm8 VEX_Vroundpd_ymm_ymmm256_imm8 VEX_Vroundps_xmm_xmmm128_imm8
        VEX_Vroundps_ymm_ymmm256_imm8 VEX_Vsqrtsd_xmm_xmm_xmmm64 VEX_Vsqrtss_xmm_xmm_xmmm32
        VEX_Vsubpd_xmm_xmm_xmmm128 VEX_Vsubpd_ymm_ymm_ymmm256 VEX_Vsubps_xmm_xmm_xmmm128
        VEX_Vsubps_ymm_ymm_ymmm256 VEX_Vsubsd_xmm_xmm_xmmm64 VEX_Vsubss_xmm_xmm_xmmm32
        VEX_Vunpckhpd_xmm_xmm_xmmm128 VEX_Vunpckhpd_ymm_ymm_ymmm256 VEX_Vunpckhps_xmm_xmm_xmmm128
        VEX_Vunpckhps_ymm_ymm_ymmm256 VEX_Vunpcklpd_xmm_xmm_xmmm128 VEX_Vunpcklpd_ymm_ymm_ymmm256
        VEX_Vunpcklps_xmm_xmm_xmmm128 VEX_Vunpcklps_ymm_ymm_ymmm256 VEX_Vxorpd_xmm_xmm_xmmm128
        VEX_Vxorpd_ymm_ymm_ymmm256 VEX_Vxorps_xmm_xmm_xmmm128 VEX_Vxorps_ymm_ymm_ymmm256;
    Plain [R R]:
        VEX_Vcomisd_xmm_xmmm64 VEX_Vcomiss_xmm_xmmm32 VEX_Vptest_xmm_xmmm128 VEX_Vptest_ymm_ymmm256
        VEX_Vtestpd_xmm_xmmm128 VEX_Vtestpd_ymm_ymmm256 VEX_Vtestps_xmm_xmmm128
        VEX_Vtestps_ymm_ymmm256 VEX_Vucomisd_xmm_xmmm64 VEX_Vucomiss_xmm_xmmm32;
    Plain []:
        VEX_Vzeroall VEX_Vzeroupper;
    Plain [W R R R]:
        VEX_Vblendpd_xmm_xmm_xmmm128_imm8 VEX_Vblendpd_ymm_ymm_ymmm256_imm8
        VEX_Vblendps_xmm_xmm_xmmm128_imm8 VEX_Vblendps_ymm_ymm_ymmm256_imm8
        VEX_Vblendvpd_xmm_xmm_xmmm128_xmm VEX_Vblendvpd_ymm_ymm_ymmm256_ymm
        VEX_Vblendvps_xmm_xmm_xmmm128_xmm VEX_Vblendvps_ymm_ymm_ymmm256_ymm
        VEX_Vcmppd_xmm_xmm_xmmm128_imm8 VEX_Vcmppd_ymm_ymm_ymmm256_imm8
        VEX_Vcmpps_xmm_xmm_xmmm128_imm8 VEX_Vcmpps_ymm_ymm_ymmm256_imm8
        VEX_Vcmpsd_xmm_xmm_xmmm64_imm8 VEX_Vcmpss_xmm_xmm_xmmm32_imm8
        VEX_Vdppd_xmm_xmm_xmmm128_imm8 VEX_Vdpps_xmm_xmm_xmmm128_imm8
        VEX_Vdpps_ymm_ymm_ymmm256_imm8 VEX_Vinsertf128_ymm_ymm_xmmm128_imm8
        VEX_Vinsertps_xmm_xmm_xmmm32_imm8 VEX_Vmpsadbw_xmm_xmm_xmmm128_imm8
        VEX_Vpalignr_xmm_xmm_xmmm128_imm8 VEX_Vpblendvb_xmm_xmm_xmmm128_xmm
        VEX_Vpblendw_xmm_xmm_xmmm128_imm8 VEX_Vperm2f128_ymm_ymm_ymmm256_imm8
        VEX_Vpinsrb_xmm_xmm_r32m8_imm8 VEX_Vpinsrd_xmm_xmm_rm32_imm8 VEX_Vpinsrq_xmm_xmm_rm64_imm8
        VEX_Vpinsrw_xmm_xmm_r32m16_imm8 VEX_Vroundsd_xmm_xmm_xmmm64_imm8
        VEX_Vroundss_xmm_xmm_xmmm32_imm8 VEX_Vshufpd_xmm_xmm_xmmm128_imm8
        VEX_Vshufpd_ymm_ymm_ymmm256_imm8 VEX_Vshufps_xmm_xmm_xmmm128_imm8
        VEX_Vshufps_ymm_ymm_ymmm256_imm8;
    Plain [R R R]:
        VEX_Vpcmpestri_xmm_xmmm128_imm8 VEX_Vpcmpestrm_xmm_xmmm128_imm8
        VEX_Vpcmpistri_xmm_xmmm128_imm8 VEX_Vpcmpistrm_xmm_xmmm128_imm8;
};
