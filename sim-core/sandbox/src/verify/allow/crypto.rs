//! AES, SHA and carry-less multiplication: cryptographic code written with intrinsics.

use super::{Group, groups};

pub(super) const CRYPTO: &[Group] = groups! {
    // AES, SHA and carry-less multiplication, from intrinsics.
    Plain [RW R]:
        Aesdec_xmm_xmmm128 Aesdeclast_xmm_xmmm128 Aesenc_xmm_xmmm128 Aesenclast_xmm_xmmm128
        Sha1msg1_xmm_xmmm128 Sha1msg2_xmm_xmmm128 Sha1nexte_xmm_xmmm128 Sha256msg1_xmm_xmmm128
        Sha256msg2_xmm_xmmm128 Sha256rnds2_xmm_xmmm128;
    Plain [W R]:
        Aesimc_xmm_xmmm128 VEX_Vaesimc_xmm_xmmm128;
    Plain [W R R]:
        Aeskeygenassist_xmm_xmmm128_imm8 VEX_Vaesdec_xmm_xmm_xmmm128
        VEX_Vaesdeclast_xmm_xmm_xmmm128 VEX_Vaesenc_xmm_xmm_xmmm128 VEX_Vaesenclast_xmm_xmm_xmmm128
        VEX_Vaeskeygenassist_xmm_xmmm128_imm8;
    Plain [RW R R]:
        Pclmulqdq_xmm_xmmm128_imm8 Sha1rnds4_xmm_xmmm128_imm8;
    Plain [W R R R]:
        VEX_Vpclmulqdq_xmm_xmm_xmmm128_imm8;
};
