//! The sequences of instructions that together do one safe thing.
//!
//! A group is recognised at its last instruction by looking back. Nothing may enter it but at its
//! first, which the caller ensures for the number of instructions returned here.

use iced_x86::{Code, Instruction, OpKind, Register};
use vino_abi::{BASE_SLOT, LABEL_RETURN_IMM, LABEL_TARGET_IMM};

/// Instructions that are remembered; more than the longest group has.
pub(super) const HISTORY_LEN: usize = 8;

/// The instructions before the current one, each directly followed by the next.
pub(super) struct History {
    ring: [Instruction; HISTORY_LEN],
    /// Index of the youngest.
    youngest: usize,
    len: usize,
}

impl History {
    pub(super) fn new() -> Self {
        Self {
            ring: [Instruction::default(); HISTORY_LEN],
            youngest: 0,
            len: 0,
        }
    }

    /// Remembers the instruction that follows the youngest.
    pub(super) fn push(&mut self, instruction: &Instruction) {
        self.youngest = (self.youngest + 1) % HISTORY_LEN;
        self.len = (self.len + 1).min(HISTORY_LEN);
        self.ring[self.youngest] = *instruction;
    }

    /// The instruction `back` places before the current one; 1 is the youngest.
    pub(super) fn back(&self, back: usize) -> Option<&Instruction> {
        (1..=self.len)
            .contains(&back)
            .then(|| &self.ring[(self.youngest + 1 + HISTORY_LEN - back) % HISTORY_LEN])
    }

    /// The `N` instructions before the current one, oldest first.
    fn last<const N: usize>(&self) -> Option<[&Instruction; N]> {
        let oldest = self.back(N)?;
        let mut found = [oldest; N];
        for (index, slot) in found.iter_mut().enumerate() {
            *slot = self.back(N - index)?;
        }
        Some(found)
    }
}

/// The instructions before a `ret` that check its address, if they do.
pub(super) fn return_group(history: &History) -> Option<usize> {
    let [load, compare, branch, rebase, store] = history.last()?;
    let loads = load.code() == Code::Mov_r32_rm32
        && load.op0_register() == Register::R11D
        && is_stack_top(load);
    let stores = store.code() == Code::Mov_rm64_r64
        && store.op1_register() == Register::R11
        && is_stack_top(store);
    (loads
        && compares(compare, Register::R11D, LABEL_RETURN_IMM)
        && is_jne(branch)
        && rebases(rebase, Register::R11)
        && stores)
        .then_some(5)
}

/// The instructions before an indirect call or jump that check its target, if they do.
pub(super) fn indirect_group(history: &History, transfer: &Instruction) -> Option<usize> {
    if transfer.op0_kind() != OpKind::Register {
        return None;
    }
    let target = transfer.op0_register();
    let truncated = target.full_register32();
    let [truncate, compare, branch, rebase] = history.last()?;
    (target != Register::RSP
        && writes_32_bits(truncate, truncated)
        && compares(compare, truncated, LABEL_TARGET_IMM)
        && is_jne(branch)
        && rebases(rebase, target))
    .then_some(4)
}

/// The instructions before a `stos` that re-base its pointer, if they do.
pub(super) fn store_string_group(history: &History) -> Option<usize> {
    let [truncate, rebase] = history.last()?;
    is_rebased(truncate, rebase, Register::RDI).then_some(2)
}

/// The instructions before a `movs` that re-base both its pointers, if they do.
pub(super) fn move_string_group(history: &History) -> Option<usize> {
    let [truncate_from, rebase_from, truncate_to, rebase_to] = history.last()?;
    (is_rebased(truncate_from, rebase_from, Register::RSI)
        && is_rebased(truncate_to, rebase_to, Register::RDI))
    .then_some(4)
}

/// `mov %r32,%r32; add %gs:BASE_SLOT,%r64`.
fn is_rebased(truncate: &Instruction, rebase: &Instruction, register: Register) -> bool {
    let truncated = register.full_register32();
    let same = matches!(truncate.code(), Code::Mov_r32_rm32 | Code::Mov_rm32_r32)
        && truncate.op0_kind() == OpKind::Register
        && truncate.op1_kind() == OpKind::Register
        && truncate.op0_register() == truncated
        && truncate.op1_register() == truncated;
    same && rebases(rebase, register)
}

/// `add %gs:BASE_SLOT,register`.
pub(super) fn rebases(instruction: &Instruction, register: Register) -> bool {
    instruction.code() == Code::Add_r64_rm64
        && instruction.op0_register() == register
        && instruction.op1_kind() == OpKind::Memory
        && instruction.segment_prefix() == Register::GS
        && instruction.memory_base() == Register::None
        && instruction.memory_index() == Register::None
        && instruction.memory_displacement64() == u64::from(BASE_SLOT)
}

/// A move from a 32-bit register or memory that zero-extends into `register`.
fn writes_32_bits(instruction: &Instruction, register: Register) -> bool {
    matches!(instruction.code(), Code::Mov_r32_rm32 | Code::Mov_rm32_r32)
        && instruction.op0_kind() == OpKind::Register
        && instruction.op0_register() == register
}

/// `cmpq $label,%gs:(register)`.
fn compares(instruction: &Instruction, register: Register, label: u32) -> bool {
    instruction.code() == Code::Cmp_rm64_imm32
        && instruction.op0_kind() == OpKind::Memory
        && instruction.segment_prefix() == Register::GS
        && instruction.memory_base() == register
        && instruction.memory_index() == Register::None
        && instruction.memory_displacement64() == 0
        && instruction.immediate(1) == u64::from(label)
}

fn is_jne(instruction: &Instruction) -> bool {
    matches!(instruction.code(), Code::Jne_rel8_64 | Code::Jne_rel32_64)
}

/// Whether the memory operand is exactly `(%rsp)`.
fn is_stack_top(instruction: &Instruction) -> bool {
    let memory =
        instruction.op0_kind() == OpKind::Memory || instruction.op1_kind() == OpKind::Memory;
    memory
        && !instruction.has_segment_prefix()
        && instruction.memory_base() == Register::RSP
        && instruction.memory_index() == Register::None
        && instruction.memory_displacement64() == 0
}
