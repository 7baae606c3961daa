//! The instructions that a graft may contain, and what each does to its operands.
//!
//! The list is closed: a [`Code`] that is not on it is refused. Each is there because compilers
//! emit it for ordinary code; left out is what they do not emit, what reaches memory or state that
//! no operand shows, what only the kernel may do, what reads the machine's identity or clock, and
//! what processors of different vendors answer differently.
//!
//! The accesses are written down here rather than asked of the disassembler, whose answers are
//! known to be incomplete for some instructions; a test compares the two for every entry.

mod avx;
mod avx2;
mod control;
mod crypto;
mod fma;
mod integer;
mod sse;
mod sse4;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use iced_x86::{Code, OpCodeOperandKind as Kind};

/// Which rules an instruction is subject to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Touches its operands and flags, nothing else.
    Plain,
    /// As `Plain`, but without memory operands.
    RegistersOnly,
    /// Computes an address.
    Lea,
    /// Does nothing, whatever its operand.
    Nop,
    /// Hints at an address.
    Prefetch,
    Push,
    Pop,
    Call,
    Jump,
    Branch,
    IndirectCall,
    IndirectJump,
    Return,
    /// `movs`: from `(%rsi)` to `(%rdi)`.
    MoveString,
    /// `stos`: to `(%rdi)`.
    StoreString,
    /// Stops the graft.
    Trap,
}

/// What an instruction does to one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// There is no such operand.
    Absent,
    Read,
    Write,
    ReadWrite,
    /// Reads none, some or all of it.
    MaybeRead,
    /// Writes none, some or all of it.
    MaybeWrite,
    /// Uses its address as a hint.
    Hint,
    /// Uses nothing but its address.
    Address,
}

impl Access {
    /// Whether memory is certainly accessed, so that an inaccessible operand faults.
    pub(super) fn is_certain(self) -> bool {
        matches!(self, Self::Read | Self::Write | Self::ReadWrite)
    }
}

/// The most operands of an instruction on the list.
pub(super) const OPERANDS_MAX: usize = 4;

/// What is known about one allowed instruction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec {
    pub(super) class: Class,
    pub(super) accesses: [Access; OPERANDS_MAX],
    pub(super) constants: Constants,
    /// Whether it may read or change a vector register, named or implied.
    pub(super) names_vectors: bool,
}

/// Where an instruction has its displacement and its immediates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Constants {
    /// They are its last bytes: the displacement, if any, then this many bytes of immediates.
    Last { immediate_bytes: usize },
    /// A byte that selects a register follows them.
    NotLast,
}

/// Instructions with one class and the same accesses.
struct Group {
    class: Class,
    accesses: &'static [Access],
    codes: &'static [Code],
}

/// Reads a list of `Class [accesses]: codes;`.
macro_rules! groups {
    ($($class:ident [$($access:ident)*]: $($code:ident)+;)+) => {
        &[$($crate::verify::allow::Group {
            class: $crate::verify::allow::Class::$class,
            accesses: &[$($crate::verify::allow::groups!(@ $access)),*],
            codes: &[$(iced_x86::Code::$code),+],
        }),+]
    };
    (@ R) => { $crate::verify::allow::Access::Read };
    (@ W) => { $crate::verify::allow::Access::Write };
    (@ RW) => { $crate::verify::allow::Access::ReadWrite };
    (@ CR) => { $crate::verify::allow::Access::MaybeRead };
    (@ CW) => { $crate::verify::allow::Access::MaybeWrite };
    (@ H) => { $crate::verify::allow::Access::Hint };
    (@ A) => { $crate::verify::allow::Access::Address };
}
use groups;

/// Lists of instructions that leave every vector register alone.
const WITHOUT_VECTORS: [&[Group]; 2] = [integer::INTEGER, control::CONTROL];
/// Lists of all others.
const WITH_VECTORS: [&[Group]; 6] = [
    sse::SSE,
    sse4::SSE4,
    avx::AVX,
    avx2::AVX2,
    fma::FMA,
    crypto::CRYPTO,
];

static TABLE: LazyLock<Table> = LazyLock::new(Table::build);

/// What is known about each instruction, by its code.
pub(super) struct Table {
    specs: Vec<Option<Spec>>,
}

impl Table {
    pub(super) fn get() -> &'static Self {
        &TABLE
    }

    /// What is known about an instruction, `None` if it is not allowed.
    pub(super) fn lookup(&self, code: Code) -> Option<&Spec> {
        self.specs[code as usize].as_ref()
    }

    fn build() -> Self {
        let mut specs: Vec<Option<Spec>> = vec![None; Code::values().len()];
        let without = WITHOUT_VECTORS.into_iter().flatten();
        let with = WITH_VECTORS.into_iter().flatten();
        let groups = without.map(|group| (group, false));
        for (group, names_vectors) in groups.chain(with.map(|group| (group, true))) {
            let mut accesses = [Access::Absent; OPERANDS_MAX];
            accesses[..group.accesses.len()].copy_from_slice(group.accesses);
            for &code in group.codes {
                let constants = Constants::of(code);
                specs[code as usize] = Some(Spec {
                    class: group.class,
                    accesses,
                    constants,
                    names_vectors,
                });
            }
        }
        Self { specs }
    }
}

impl Constants {
    fn of(code: Code) -> Self {
        let kinds = code.op_code().op_kinds();
        let register_last = kinds
            .iter()
            .any(|kind| matches!(kind, Kind::xmm_is4 | Kind::ymm_is4));
        if register_last {
            return Self::NotLast;
        }
        Self::Last {
            immediate_bytes: kinds.iter().copied().map(immediate_bytes).sum(),
        }
    }
}

/// Bytes that an operand of this kind takes behind the displacement.
fn immediate_bytes(kind: Kind) -> usize {
    match kind {
        Kind::imm8 | Kind::imm8sex16 | Kind::imm8sex32 | Kind::imm8sex64 | Kind::br64_1 => 1,
        Kind::imm16 => 2,
        Kind::imm32 | Kind::imm32sex64 | Kind::br64_4 => 4,
        Kind::imm64 => 8,
        _ => 0,
    }
}
