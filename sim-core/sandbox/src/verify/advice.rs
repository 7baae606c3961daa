//! What the author of refused code can do about it.

use iced_x86::{CpuidFeature, EncodingKind, Instruction, Mnemonic, OpKind, Register};

use super::rule::Rule;

/// What to do about an instruction that breaks a rule.
pub(super) fn advice(rule: Rule, instruction: &Instruction) -> &'static str {
    match rule {
        Rule::R1 => "assemble compiler output with as; do not write instructions as bytes",
        Rule::R2 => instead_of(instruction),
        Rule::R3 | Rule::R4 if instruction.segment_prefix() == Register::FS => {
            "thread-local data and stack protectors use %fs: compile with -fno-stack-protector \
             and without thread-local variables"
        }
        Rule::R3 => "remove the prefix; compilers do not emit it",
        Rule::R4 if is_bit_test(instruction) => {
            "the bit offset in a register reaches any address: load the word first"
        }
        Rule::R4 => "protect memory accesses: run misfit with -r and -w",
        Rule::R5 => "refer to data by its symbol, within its bounds",
        Rule::R6 => "protect the stack pointer: run misfit with -s",
        Rule::R7 => "access the stack after moving %rsp: run misfit with -s",
        Rule::R8 => "branch to a label of an instruction, not into a group or outside the image",
        Rule::R9 if is_jump(instruction) => {
            "protect indirect jumps: run misfit with -c; for a switch, compile with \
             -fno-jump-tables"
        }
        Rule::R9 => "protect indirect calls: run misfit with -c",
        Rule::R10 => "protect returns: run misfit with -c on what gcc wrote with -fno-ipa-ra",
        Rule::R11 => "re-base the pointers of string instructions: run misfit with -w and -r",
        Rule::R12 => "change the constant or displacement that looks like a label",
        Rule::R13 => "load the object through the linker of this crate, which pads its code",
        Rule::R14 => "label the functions that are called from outside: run misfit with -c",
        Rule::R15 => "assemble compiler output with as, compiled with -fPIC",
    }
}

fn is_jump(instruction: &Instruction) -> bool {
    instruction.mnemonic() == Mnemonic::Jmp
}

fn is_bit_test(instruction: &Instruction) -> bool {
    matches!(
        instruction.mnemonic(),
        Mnemonic::Bt | Mnemonic::Btc | Mnemonic::Btr | Mnemonic::Bts
    )
}

/// What to use instead of an instruction that is not on the allow-list.
fn instead_of(instruction: &Instruction) -> &'static str {
    let code = instruction.code();
    let features = code.cpuid_features();
    let has = |feature| features.contains(&feature);
    if has(CpuidFeature::FPU) || has(CpuidFeature::FPU287) || has(CpuidFeature::FPU387) {
        return "x87 state is the host's: use double instead of long double";
    }
    let mmx = (0..instruction.op_count()).any(|operand| {
        instruction.op_kind(operand) == OpKind::Register && instruction.op_register(operand).is_mm()
    });
    if mmx || has(CpuidFeature::MMX) {
        return "MMX state is the host's: compile with -mno-mmx";
    }
    if code.encoding() == EncodingKind::EVEX {
        return "AVX-512 is not supported: compile with -mno-avx512f";
    }
    match instruction.mnemonic() {
        Mnemonic::Syscall | Mnemonic::Sysenter | Mnemonic::Int => {
            "a graft makes no system calls: call a function that grafts may call"
        }
        Mnemonic::Leave | Mnemonic::Enter => "protect the stack pointer: run misfit with -s",
        Mnemonic::Cmpsb
        | Mnemonic::Cmpsw
        | Mnemonic::Cmpsq
        | Mnemonic::Scasb
        | Mnemonic::Scasw
        | Mnemonic::Scasd
        | Mnemonic::Scasq
        | Mnemonic::Lodsb
        | Mnemonic::Lodsw
        | Mnemonic::Lodsd
        | Mnemonic::Lodsq => {
            "of the string instructions only movs and stos are supported: compile with -O2"
        }
        Mnemonic::Rdtsc
        | Mnemonic::Rdtscp
        | Mnemonic::Cpuid
        | Mnemonic::Rdrand
        | Mnemonic::Rdseed
        | Mnemonic::Rdpmc
        | Mnemonic::Xgetbv
        | Mnemonic::Rdpid => {
            "a graft may not see the clock, randomness or the machine: a run must replay"
        }
        Mnemonic::Ldmxcsr | Mnemonic::Stmxcsr | Mnemonic::Vldmxcsr | Mnemonic::Vstmxcsr => {
            "the floating-point mode is the host's: use the default rounding"
        }
        Mnemonic::Rcpps
        | Mnemonic::Rcpss
        | Mnemonic::Rsqrtps
        | Mnemonic::Rsqrtss
        | Mnemonic::Vrcpps
        | Mnemonic::Vrcpss
        | Mnemonic::Vrsqrtps
        | Mnemonic::Vrsqrtss => {
            "approximations differ between processors: compile without -ffast-math or -mrecip"
        }
        Mnemonic::INVALID => "assemble compiler output with as; do not write data into code",
        _ => "use code that gcc or clang emit for -march=x86-64-v3 or less",
    }
}
