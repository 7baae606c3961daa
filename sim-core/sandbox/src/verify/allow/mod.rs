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

use iced_x86::Code;

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

const LISTS: [&[Group]; 8] = [
    integer::INTEGER,
    control::CONTROL,
    sse::SSE,
    sse4::SSE4,
    avx::AVX,
    avx2::AVX2,
    fma::FMA,
    crypto::CRYPTO,
];

/// More than the disassembler has codes; a smaller bound would fail to compile.
const CODES_MAX: usize = 8192;

static TABLE: [Option<Spec>; CODES_MAX] = build();

/// What is known about an instruction, `None` if it is not allowed.
pub(super) fn lookup(code: Code) -> Option<&'static Spec> {
    TABLE[code as usize].as_ref()
}

const fn build() -> [Option<Spec>; CODES_MAX] {
    let mut table = [None; CODES_MAX];
    let mut list = 0;
    while list < LISTS.len() {
        let mut group = 0;
        while group < LISTS[list].len() {
            fill(&mut table, &LISTS[list][group]);
            group += 1;
        }
        list += 1;
    }
    table
}

const fn fill(table: &mut [Option<Spec>; CODES_MAX], group: &Group) {
    let mut accesses = [Access::Absent; OPERANDS_MAX];
    let mut operand = 0;
    while operand < group.accesses.len() {
        accesses[operand] = group.accesses[operand];
        operand += 1;
    }
    let mut code = 0;
    while code < group.codes.len() {
        let slot = &mut table[group.codes[code] as usize];
        assert!(slot.is_none(), "an instruction is on the list twice");
        *slot = Some(Spec {
            class: group.class,
            accesses,
        });
        code += 1;
    }
}
