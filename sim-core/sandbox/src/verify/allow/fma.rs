//! FMA and F16C: floating-point code compiled with `-march=x86-64-v3`.

use super::{Group, groups};

pub(super) const FMA: &[Group] = groups! {
    // Fused multiply-add.
    Plain [RW R R]:
        VEX_Vfmadd132pd_xmm_xmm_xmmm128 VEX_Vfmadd132pd_ymm_ymm_ymmm256
        VEX_Vfmadd132ps_xmm_xmm_xmmm128 VEX_Vfmadd132ps_ymm_ymm_ymmm256
        VEX_Vfmadd132sd_xmm_xmm_xmmm64 VEX_Vfmadd132ss_xmm_xmm_xmmm32
        VEX_Vfmadd213pd_xmm_xmm_xmmm128 VEX_Vfmadd213pd_ymm_ymm_ymmm256
        VEX_Vfmadd213ps_xmm_xmm_xmmm128 VEX_Vfmadd213ps_ymm_ymm_ymmm256
        VEX_Vfmadd213sd_xmm_xmm_xmmm64 VEX_Vfmadd213ss_xmm_xmm_xmmm32
        VEX_Vfmadd231pd_xmm_xmm_xmmm128 VEX_Vfmadd231pd_ymm_ymm_ymmm256
        VEX_Vfmadd231ps_xmm_xmm_xmmm128 VEX_Vfmadd231ps_ymm_ymm_ymmm256
        VEX_Vfmadd231sd_xmm_xmm_xmmm64 VEX_Vfmadd231ss_xmm_xmm_xmmm32
        VEX_Vfmaddsub132pd_xmm_xmm_xmmm128 VEX_Vfmaddsub132pd_ymm_ymm_ymmm256
        VEX_Vfmaddsub132ps_xmm_xmm_xmmm128 VEX_Vfmaddsub132ps_ymm_ymm_ymmm256
        VEX_Vfmaddsub213pd_xmm_xmm_xmmm128 VEX_Vfmaddsub213pd_ymm_ymm_ymmm256
        VEX_Vfmaddsub213ps_xmm_xmm_xmmm128 VEX_Vfmaddsub213ps_ymm_ymm_ymmm256
        VEX_Vfmaddsub231pd_xmm_xmm_xmmm128 VEX_Vfmaddsub231pd_ymm_ymm_ymmm256
        VEX_Vfmaddsub231ps_xmm_xmm_xmmm128 VEX_Vfmaddsub231ps_ymm_ymm_ymmm256
        VEX_Vfmsub132pd_xmm_xmm_xmmm128 VEX_Vfmsub132pd_ymm_ymm_ymmm256
        VEX_Vfmsub132ps_xmm_xmm_xmmm128 VEX_Vfmsub132ps_ymm_ymm_ymmm256
        VEX_Vfmsub132sd_xmm_xmm_xmmm64 VEX_Vfmsub132ss_xmm_xmm_xmmm32
        VEX_Vfmsub213pd_xmm_xmm_xmmm128 VEX_Vfmsub213pd_ymm_ymm_ymmm256
        VEX_Vfmsub213ps_xmm_xmm_xmmm128 VEX_Vfmsub213ps_ymm_ymm_ymmm256
        VEX_Vfmsub213sd_xmm_xmm_xmmm64 VEX_Vfmsub213ss_xmm_xmm_xmmm32
        VEX_Vfmsub231pd_xmm_xmm_xmmm128 VEX_Vfmsub231pd_ymm_ymm_ymmm256
        VEX_Vfmsub231ps_xmm_xmm_xmmm128 VEX_Vfmsub231ps_ymm_ymm_ymmm256
        VEX_Vfmsub231sd_xmm_xmm_xmmm64 VEX_Vfmsub231ss_xmm_xmm_xmmm32
        VEX_Vfmsubadd132pd_xmm_xmm_xmmm128 VEX_Vfmsubadd132pd_ymm_ymm_ymmm256
        VEX_Vfmsubadd132ps_xmm_xmm_xmmm128 VEX_Vfmsubadd132ps_ymm_ymm_ymmm256
        VEX_Vfmsubadd213pd_xmm_xmm_xmmm128 VEX_Vfmsubadd213pd_ymm_ymm_ymmm256
        VEX_Vfmsubadd213ps_xmm_xmm_xmmm128 VEX_Vfmsubadd213ps_ymm_ymm_ymmm256
        VEX_Vfmsubadd231pd_xmm_xmm_xmmm128 VEX_Vfmsubadd231pd_ymm_ymm_ymmm256
        VEX_Vfmsubadd231ps_xmm_xmm_xmmm128 VEX_Vfmsubadd231ps_ymm_ymm_ymmm256
        VEX_Vfnmadd132pd_xmm_xmm_xmmm128 VEX_Vfnmadd132pd_ymm_ymm_ymmm256
        VEX_Vfnmadd132ps_xmm_xmm_xmmm128 VEX_Vfnmadd132ps_ymm_ymm_ymmm256
        VEX_Vfnmadd132sd_xmm_xmm_xmmm64 VEX_Vfnmadd132ss_xmm_xmm_xmmm32
        VEX_Vfnmadd213pd_xmm_xmm_xmmm128 VEX_Vfnmadd213pd_ymm_ymm_ymmm256
        VEX_Vfnmadd213ps_xmm_xmm_xmmm128 VEX_Vfnmadd213ps_ymm_ymm_ymmm256
        VEX_Vfnmadd213sd_xmm_xmm_xmmm64 VEX_Vfnmadd213ss_xmm_xmm_xmmm32
        VEX_Vfnmadd231pd_xmm_xmm_xmmm128 VEX_Vfnmadd231pd_ymm_ymm_ymmm256
        VEX_Vfnmadd231ps_xmm_xmm_xmmm128 VEX_Vfnmadd231ps_ymm_ymm_ymmm256
        VEX_Vfnmadd231sd_xmm_xmm_xmmm64 VEX_Vfnmadd231ss_xmm_xmm_xmmm32
        VEX_Vfnmsub132pd_xmm_xmm_xmmm128 VEX_Vfnmsub132pd_ymm_ymm_ymmm256
        VEX_Vfnmsub132ps_xmm_xmm_xmmm128 VEX_Vfnmsub132ps_ymm_ymm_ymmm256
        VEX_Vfnmsub132sd_xmm_xmm_xmmm64 VEX_Vfnmsub132ss_xmm_xmm_xmmm32
        VEX_Vfnmsub213pd_xmm_xmm_xmmm128 VEX_Vfnmsub213pd_ymm_ymm_ymmm256
        VEX_Vfnmsub213ps_xmm_xmm_xmmm128 VEX_Vfnmsub213ps_ymm_ymm_ymmm256
        VEX_Vfnmsub213sd_xmm_xmm_xmmm64 VEX_Vfnmsub213ss_xmm_xmm_xmmm32
        VEX_Vfnmsub231pd_xmm_xmm_xmmm128 VEX_Vfnmsub231pd_ymm_ymm_ymmm256
        VEX_Vfnmsub231ps_xmm_xmm_xmmm128 VEX_Vfnmsub231ps_ymm_ymm_ymmm256
        VEX_Vfnmsub231sd_xmm_xmm_xmmm64 VEX_Vfnmsub231ss_xmm_xmm_xmmm32;
    // Half-precision conversions.
    Plain [W R]:
        VEX_Vcvtph2ps_xmm_xmmm64 VEX_Vcvtph2ps_ymm_xmmm128;
    Plain [W R R]:
        VEX_Vcvtps2ph_xmmm64_xmm_imm8 VEX_Vcvtps2ph_xmmm128_ymm_imm8;
};
