//! Instructions with a rule of their own: transfers of control, the stack, strings, and what only
//! computes or hints at an address.

use super::{Group, groups};

pub(super) const CONTROL: &[Group] = groups! {
    Lea [W A]:
        Lea_r16_m Lea_r32_m Lea_r64_m;
    Nop []:
        Nopw Nopd;
    // What assemblers fill alignment with; also the labels.
    Nop [A]:
        Nop_rm16 Nop_rm32;
    Prefetch [H]:
        Prefetchnta_m8 Prefetcht0_m8 Prefetcht1_m8 Prefetcht2_m8;
    Plain []:
        Endbr64 Pause;
    Push [R]:
        Push_r64 Push_rm64 Pushq_imm32 Pushq_imm8;
    Pop [W]:
        Pop_r64 Pop_rm64;
    Call [R]:
        Call_rel32_64;
    Jump [R]:
        Jmp_rel8_64 Jmp_rel32_64;
    Branch [R]:
        Jo_rel8_64 Jno_rel8_64 Jb_rel8_64 Jae_rel8_64 Je_rel8_64 Jne_rel8_64 Jbe_rel8_64
        Ja_rel8_64 Js_rel8_64 Jns_rel8_64 Jp_rel8_64 Jnp_rel8_64 Jl_rel8_64 Jge_rel8_64
        Jle_rel8_64 Jg_rel8_64 Jo_rel32_64 Jno_rel32_64 Jb_rel32_64 Jae_rel32_64 Je_rel32_64
        Jne_rel32_64 Jbe_rel32_64 Ja_rel32_64 Js_rel32_64 Jns_rel32_64 Jp_rel32_64 Jnp_rel32_64
        Jl_rel32_64 Jge_rel32_64 Jle_rel32_64 Jg_rel32_64;
    IndirectCall [R]:
        Call_rm64;
    IndirectJump [R]:
        Jmp_rm64;
    Return []:
        Retnq;
    MoveString [W R]:
        Movsb_m8_m8 Movsw_m16_m16 Movsd_m32_m32 Movsq_m64_m64;
    StoreString [W R]:
        Stosb_m8_AL Stosw_m16_AX Stosd_m32_EAX Stosq_m64_RAX;
    Trap []:
        Int3 Ud2;
};
