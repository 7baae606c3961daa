//! SSE to SSE4.2, AES, SHA, PCLMUL, AVX, AVX2, FMA and F16C.
//!
//! Vector registers are not followed, so all that matters is that the name is known, whether the
//! flags change, and that a memory operand in the last place is written.

use super::{Access, Effect, Flags, Table};
use crate::register::RegisterSet;

/// Instructions with a legacy form and a `v` form.
const BOTH: &str = "\
    addps addpd addss addsd subps subpd subss subsd mulps mulpd mulss mulsd \
    divps divpd divss divsd maxps maxpd maxss maxsd minps minpd minss minsd \
    sqrtps sqrtpd sqrtss sqrtsd \
    andps andpd andnps andnpd orps orpd xorps xorpd haddps haddpd hsubps hsubpd addsubps addsubpd \
    movaps movapd movups movupd movdqa movdqu movss movsd movd movq movlps movlpd movhps movhpd \
    movhlps movlhps movntps movntpd movntdq movntdqa lddqu movshdup movsldup movddup \
    movmskps movmskpd pmovmskb shufps shufpd unpcklps unpcklpd unpckhps unpckhpd \
    cmpps cmppd cmpss cmpsd roundps roundpd roundss roundsd dpps dppd insertps extractps \
    blendps blendpd blendvps blendvpd \
    cvtdq2ps cvtdq2pd cvtps2dq cvtps2pd cvtpd2dq cvtpd2ps cvttps2dq cvttpd2dq cvtss2sd cvtsd2ss \
    cvtsi2ss cvtsi2ssl cvtsi2ssq cvtsi2sd cvtsi2sdl cvtsi2sdq cvtss2si cvtss2sil cvtss2siq \
    cvtsd2si cvtsd2sil cvtsd2siq cvttss2si cvttss2sil cvttss2siq cvttsd2si cvttsd2sil cvttsd2siq \
    paddb paddw paddd paddq paddsb paddsw paddusb paddusw psubb psubw psubd psubq psubsb psubsw \
    psubusb psubusw pmullw pmulld pmulhw pmulhuw pmulhrsw pmuludq pmuldq pmaddwd pmaddubsw \
    pand pandn por pxor pcmpeqb pcmpeqw pcmpeqd pcmpeqq pcmpgtb pcmpgtw pcmpgtd pcmpgtq \
    pmaxub pmaxuw pmaxud pmaxsb pmaxsw pmaxsd pminub pminuw pminud pminsb pminsw pminsd \
    pavgb pavgw psadbw mpsadbw pabsb pabsw pabsd psignb psignw psignd phaddw phaddd phaddsw \
    phsubw phsubd phsubsw phminposuw psllw pslld psllq psrlw psrld psrlq psraw psrad \
    pslldq psrldq palignr pshufb pshufd pshufhw pshuflw packsswb packssdw packuswb packusdw \
    punpcklbw punpcklwd punpckldq punpcklqdq punpckhbw punpckhwd punpckhdq punpckhqdq \
    pinsrb pinsrw pinsrd pinsrq pextrb pextrw pextrd pextrq pblendw pblendvb \
    pmovsxbw pmovsxbd pmovsxbq pmovsxwd pmovsxwq pmovsxdq \
    pmovzxbw pmovzxbd pmovzxbq pmovzxwd pmovzxwq pmovzxdq \
    aesenc aesenclast aesdec aesdeclast aesimc aeskeygenassist pclmulqdq";

/// Instructions with a legacy form only.
const LEGACY: &str = "sha1rnds4 sha1nexte sha1msg1 sha1msg2 sha256rnds2 sha256msg1 sha256msg2";

/// Instructions with a `v` form only, without the `v`.
const WIDE: &str = "\
    broadcastss broadcastsd broadcastf128 broadcasti128 pbroadcastb pbroadcastw pbroadcastd \
    pbroadcastq extractf128 extracti128 insertf128 inserti128 perm2f128 perm2i128 permilps \
    permilpd permd permq permps permpd pblendd psllvd psllvq psrlvd psrlvq psravd \
    maskmovps maskmovpd pmaskmovd pmaskmovq zeroupper zeroall cvtph2ps cvtps2ph \
    cvtpd2psx cvtpd2psy cvtpd2dqx cvtpd2dqy cvttpd2dqx cvttpd2dqy";

/// Instructions with both forms that set the flags.
const COMPARING: &str = "ucomiss ucomisd comiss comisd ptest";

/// Instructions with only a `v` form that set the flags.
const WIDE_COMPARING: &str = "vtestps vtestpd";

/// Instructions with both forms that use and set general-purpose registers and flags.
const TEXT: &str = "pcmpestri pcmpestrm pcmpistri pcmpistrm";

/// The comparisons that compilers spell as part of the name, as in `cmpltsd`.
const PREDICATES: &str = "eq lt le unord neq nlt nle ord";

/// Those that exist only in the `v` form.
const WIDE_PREDICATES: &str = "\
    eq_uq nge ngt false neq_oq ge gt true eq_os lt_oq le_oq unord_s neq_us nlt_uq nle_uq ord_s \
    eq_us nge_uq ngt_uq false_os neq_os ge_oq gt_oq true_us";

pub(super) fn fill(table: &mut Table) {
    let keep = Effect::plain(Access::ReadWrite, Flags::Keep);
    let set = Effect::plain(Access::ReadWrite, Flags::Set);
    both(table, BOTH, keep);
    one(table, "", LEGACY, keep);
    one(table, "v", WIDE, keep);
    both(table, COMPARING, set);
    one(table, "", WIDE_COMPARING, set);
    // `%eax` and `%edx` hold lengths; `%ecx` receives the index of the explicit forms.
    both(table, TEXT, set.using(RegisterSet::of(&[0, 1, 2])));
    for format in ["ps", "pd", "ss", "sd"] {
        for predicate in PREDICATES.split_ascii_whitespace() {
            both(table, &format!("cmp{predicate}{format}"), keep);
        }
        for predicate in WIDE_PREDICATES.split_ascii_whitespace() {
            one(table, "v", &format!("cmp{predicate}{format}"), keep);
        }
        for operation in ["fmadd", "fmsub", "fnmadd", "fnmsub"] {
            fused(table, operation, format, keep);
        }
    }
    for format in ["ps", "pd"] {
        fused(table, "fmaddsub", format, keep);
        fused(table, "fmsubadd", format, keep);
    }
}

fn fused(table: &mut Table, operation: &str, format: &str, effect: Effect) {
    for order in ["132", "213", "231"] {
        one(table, "v", &format!("{operation}{order}{format}"), effect);
    }
}

fn both(table: &mut Table, names: &str, effect: Effect) {
    one(table, "", names, effect);
    one(table, "v", names, effect);
}

fn one(table: &mut Table, prefix: &str, names: &str, effect: Effect) {
    for name in names.split_ascii_whitespace() {
        table.insert(format!("{prefix}{name}"), effect);
    }
}
