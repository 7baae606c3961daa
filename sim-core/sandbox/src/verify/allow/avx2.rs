//! AVX2: vector code compiled with `-march=x86-64-v3`.

use super::{Group, groups};

pub(super) const AVX2: &[Group] = groups! {
    // AVX2.
    Plain [W R R]:
        VEX_Vextracti128_xmmm128_ymm_imm8 VEX_Vpackssdw_ymm_ymm_ymmm256
        VEX_Vpacksswb_ymm_ymm_ymmm256 VEX_Vpackusdw_ymm_ymm_ymmm256 VEX_Vpackuswb_ymm_ymm_ymmm256
        VEX_Vpaddb_ymm_ymm_ymmm256 VEX_Vpaddd_ymm_ymm_ymmm256 VEX_Vpaddq_ymm_ymm_ymmm256
        VEX_Vpaddsb_ymm_ymm_ymmm256 VEX_Vpaddsw_ymm_ymm_ymmm256 VEX_Vpaddusb_ymm_ymm_ymmm256
        VEX_Vpaddusw_ymm_ymm_ymmm256 VEX_Vpaddw_ymm_ymm_ymmm256 VEX_Vpand_ymm_ymm_ymmm256
        VEX_Vpandn_ymm_ymm_ymmm256 VEX_Vpavgb_ymm_ymm_ymmm256 VEX_Vpavgw_ymm_ymm_ymmm256
        VEX_Vpcmpeqb_ymm_ymm_ymmm256 VEX_Vpcmpeqd_ymm_ymm_ymmm256 VEX_Vpcmpeqq_ymm_ymm_ymmm256
        VEX_Vpcmpeqw_ymm_ymm_ymmm256 VEX_Vpcmpgtb_ymm_ymm_ymmm256 VEX_Vpcmpgtd_ymm_ymm_ymmm256
        VEX_Vpcmpgtq_ymm_ymm_ymmm256 VEX_Vpcmpgtw_ymm_ymm_ymmm256 VEX_Vpermd_ymm_ymm_ymmm256
        VEX_Vpermpd_ymm_ymmm256_imm8 VEX_Vpermps_ymm_ymm_ymmm256 VEX_Vpermq_ymm_ymmm256_imm8
        VEX_Vphaddd_ymm_ymm_ymmm256 VEX_Vphaddsw_ymm_ymm_ymmm256 VEX_Vphaddw_ymm_ymm_ymmm256
        VEX_Vphsubd_ymm_ymm_ymmm256 VEX_Vphsubsw_ymm_ymm_ymmm256 VEX_Vphsubw_ymm_ymm_ymmm256
        VEX_Vpmaddubsw_ymm_ymm_ymmm256 VEX_Vpmaddwd_ymm_ymm_ymmm256 VEX_Vpmaxsb_ymm_ymm_ymmm256
        VEX_Vpmaxsd_ymm_ymm_ymmm256 VEX_Vpmaxsw_ymm_ymm_ymmm256 VEX_Vpmaxub_ymm_ymm_ymmm256
        VEX_Vpmaxud_ymm_ymm_ymmm256 VEX_Vpmaxuw_ymm_ymm_ymmm256 VEX_Vpminsb_ymm_ymm_ymmm256
        VEX_Vpminsd_ymm_ymm_ymmm256 VEX_Vpminsw_ymm_ymm_ymmm256 VEX_Vpminub_ymm_ymm_ymmm256
        VEX_Vpminud_ymm_ymm_ymmm256 VEX_Vpminuw_ymm_ymm_ymmm256 VEX_Vpmuldq_ymm_ymm_ymmm256
        VEX_Vpmulhrsw_ymm_ymm_ymmm256 VEX_Vpmulhuw_ymm_ymm_ymmm256 VEX_Vpmulhw_ymm_ymm_ymmm256
        VEX_Vpmulld_ymm_ymm_ymmm256 VEX_Vpmullw_ymm_ymm_ymmm256 VEX_Vpmuludq_ymm_ymm_ymmm256
        VEX_Vpor_ymm_ymm_ymmm256 VEX_Vpsadbw_ymm_ymm_ymmm256 VEX_Vpshufb_ymm_ymm_ymmm256
        VEX_Vpshufd_ymm_ymmm256_imm8 VEX_Vpshufhw_ymm_ymmm256_imm8 VEX_Vpshuflw_ymm_ymmm256_imm8
        VEX_Vpsignb_ymm_ymm_ymmm256 VEX_Vpsignd_ymm_ymm_ymmm256 VEX_Vpsignw_ymm_ymm_ymmm256
        VEX_Vpslld_ymm_ymm_imm8 VEX_Vpslld_ymm_ymm_xmmm128 VEX_Vpslldq_ymm_ymm_imm8
        VEX_Vpsllq_ymm_ymm_imm8 VEX_Vpsllq_ymm_ymm_xmmm128 VEX_Vpsllvd_xmm_xmm_xmmm128
        VEX_Vpsllvd_ymm_ymm_ymmm256 VEX_Vpsllvq_xmm_xmm_xmmm128 VEX_Vpsllvq_ymm_ymm_ymmm256
        VEX_Vpsllw_ymm_ymm_imm8 VEX_Vpsllw_ymm_ymm_xmmm128 VEX_Vpsrad_ymm_ymm_imm8
        VEX_Vpsrad_ymm_ymm_xmmm128 VEX_Vpsravd_xmm_xmm_xmmm128 VEX_Vpsravd_ymm_ymm_ymmm256
        VEX_Vpsraw_ymm_ymm_imm8 VEX_Vpsraw_ymm_ymm_xmmm128 VEX_Vpsrld_ymm_ymm_imm8
        VEX_Vpsrld_ymm_ymm_xmmm128 VEX_Vpsrldq_ymm_ymm_imm8 VEX_Vpsrlq_ymm_ymm_imm8
        VEX_Vpsrlq_ymm_ymm_xmmm128 VEX_Vpsrlvd_xmm_xmm_xmmm128 VEX_Vpsrlvd_ymm_ymm_ymmm256
        VEX_Vpsrlvq_xmm_xmm_xmmm128 VEX_Vpsrlvq_ymm_ymm_ymmm256 VEX_Vpsrlw_ymm_ymm_imm8
        VEX_Vpsrlw_ymm_ymm_xmmm128 VEX_Vpsubb_ymm_ymm_ymmm256 VEX_Vpsubd_ymm_ymm_ymmm256
        VEX_Vpsubq_ymm_ymm_ymmm256 VEX_Vpsubsb_ymm_ymm_ymmm256 VEX_Vpsubsw_ymm_ymm_ymmm256
        VEX_Vpsubusb_ymm_ymm_ymmm256 VEX_Vpsubusw_ymm_ymm_ymmm256 VEX_Vpsubw_ymm_ymm_ymmm256
        VEX_Vpunpckhbw_ymm_ymm_ymmm256 VEX_Vpunpckhdq_ymm_ymm_ymmm256
        VEX_Vpunpckhqdq_ymm_ymm_ymmm256 VEX_Vpunpckhwd_ymm_ymm_ymmm256
        VEX_Vpunpcklbw_ymm_ymm_ymmm256 VEX_Vpunpckldq_ymm_ymm_ymmm256
        VEX_Vpunpcklqdq_ymm_ymm_ymmm256 VEX_Vpunpcklwd_ymm_ymm_ymmm256 VEX_Vpxor_ymm_ymm_ymmm256;
    Plain [W R]:
        VEX_Vbroadcasti128_ymm_m128 VEX_Vbroadcastsd_ymm_xmm VEX_Vbroadcastss_xmm_xmm
        VEX_Vbroadcastss_ymm_xmm VEX_Vmovntdqa_ymm_m256 VEX_Vpabsb_ymm_ymmm256
        VEX_Vpabsd_ymm_ymmm256 VEX_Vpabsw_ymm_ymmm256 VEX_Vpbroadcastb_xmm_xmmm8
        VEX_Vpbroadcastb_ymm_xmmm8 VEX_Vpbroadcastd_xmm_xmmm32 VEX_Vpbroadcastd_ymm_xmmm32
        VEX_Vpbroadcastq_xmm_xmmm64 VEX_Vpbroadcastq_ymm_xmmm64 VEX_Vpbroadcastw_xmm_xmmm16
        VEX_Vpbroadcastw_ymm_xmmm16 VEX_Vpmovmskb_r32_ymm VEX_Vpmovsxbd_ymm_xmmm64
        VEX_Vpmovsxbq_ymm_xmmm32 VEX_Vpmovsxbw_ymm_xmmm128 VEX_Vpmovsxdq_ymm_xmmm128
        VEX_Vpmovsxwd_ymm_xmmm128 VEX_Vpmovsxwq_ymm_xmmm64 VEX_Vpmovzxbd_ymm_xmmm64
        VEX_Vpmovzxbq_ymm_xmmm32 VEX_Vpmovzxbw_ymm_xmmm128 VEX_Vpmovzxdq_ymm_xmmm128
        VEX_Vpmovzxwd_ymm_xmmm128 VEX_Vpmovzxwq_ymm_xmmm64;
    Plain [W R R R]:
        VEX_Vinserti128_ymm_ymm_xmmm128_imm8 VEX_Vmpsadbw_ymm_ymm_ymmm256_imm8
        VEX_Vpalignr_ymm_ymm_ymmm256_imm8 VEX_Vpblendd_xmm_xmm_xmmm128_imm8
        VEX_Vpblendd_ymm_ymm_ymmm256_imm8 VEX_Vpblendvb_ymm_ymm_ymmm256_ymm
        VEX_Vpblendw_ymm_ymm_ymmm256_imm8 VEX_Vperm2i128_ymm_ymm_ymmm256_imm8;
    // Masked moves of vectorised conditionals; what the mask hides is not accessed.
    Plain [W R CR]:
        VEX_Vmaskmovpd_xmm_xmm_m128 VEX_Vmaskmovpd_ymm_ymm_m256 VEX_Vmaskmovps_xmm_xmm_m128
        VEX_Vmaskmovps_ymm_ymm_m256 VEX_Vpmaskmovd_xmm_xmm_m128 VEX_Vpmaskmovd_ymm_ymm_m256
        VEX_Vpmaskmovq_xmm_xmm_m128 VEX_Vpmaskmovq_ymm_ymm_m256;
    Plain [CW R R]:
        VEX_Vmaskmovpd_m128_xmm_xmm VEX_Vmaskmovpd_m256_ymm_ymm VEX_Vmaskmovps_m128_xmm_xmm
        VEX_Vmaskmovps_m256_ymm_ymm VEX_Vpmaskmovd_m128_xmm_xmm VEX_Vpmaskmovd_m256_ymm_ymm
        VEX_Vpmaskmovq_m128_xmm_xmm VEX_Vpmaskmovq_m256_ymm_ymm;
};
