//! The rules for what an instruction does to memory and to the stack pointer.

use iced_x86::{Code, Instruction, OpKind, Register};
use vino_abi::STACK_DRIFT_MAX;

use super::{Finding, Scanner, Verdict};
use crate::verify::allow::{Access, Class, Spec};
use crate::verify::groups;
use crate::verify::reach::{self, Reach};
use crate::verify::rule::Rule;

impl Scanner<'_> {
    /// Applies the rules for operands: memory and the stack pointer.
    pub(super) fn check_operands(&mut self, instruction: &Instruction, spec: &Spec) -> Verdict {
        for index in 0..instruction.op_count() {
            let access = spec
                .accesses
                .get(index as usize)
                .copied()
                .unwrap_or(Access::Absent);
            match instruction.op_kind(index) {
                OpKind::Register => {
                    let register = instruction.op_register(index);
                    if reach::is_stack_pointer(register) && access != Access::Read {
                        self.check_stack_pointer(instruction, index)?;
                    }
                }
                OpKind::Memory => self.check_memory(instruction, spec.class, access)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn check_memory(&mut self, instruction: &Instruction, class: Class, access: Access) -> Verdict {
        if access == Access::Address {
            return Ok(());
        }
        match class {
            Class::RegistersOnly => return Err(Rule::R4.into()),
            Class::IndirectCall | Class::IndirectJump => return Err(Rule::R9.into()),
            _ => {}
        }
        let reads = matches!(access, Access::Read | Access::MaybeRead | Access::Hint);
        let exempt = reads && !self.policy.read_protection && class_may_read_freely(class);
        match reach::reach(instruction, &self.text.image) {
            // `pop` finds its address after it has moved %rsp.
            Ok(Reach::StackProbe | Reach::Stack) if class == Class::Pop => Err(Rule::R6.into()),
            Ok(Reach::StackProbe) => {
                if access.is_certain() {
                    self.drift = 0;
                }
                Ok(())
            }
            Ok(Reach::Sandbox | Reach::Stack) => Ok(()),
            Ok(Reach::Anywhere) if exempt => Ok(()),
            Ok(Reach::Anywhere) => Err(Finding {
                rule: Rule::R4,
                read: reads,
            }),
            Err(Rule::R5) if exempt && instruction.memory_base() == Register::RIP => Ok(()),
            Err(rule) => Err(rule.into()),
        }
    }

    /// Judges an instruction that writes to `%rsp` or a part of it.
    fn check_stack_pointer(&mut self, instruction: &Instruction, operand: u32) -> Verdict {
        let constant = match instruction.code() {
            Code::Add_rm64_imm8
            | Code::Add_rm64_imm32
            | Code::Sub_rm64_imm8
            | Code::Sub_rm64_imm32 => {
                // The immediate is sign-extended; either direction is a drift.
                let moved = instruction.immediate(1);
                Some(moved.min(moved.wrapping_neg()))
            }
            Code::Lea_r64_m
                if instruction.memory_base() == Register::RSP
                    && instruction.memory_index() == Register::None =>
            {
                let moved = instruction.memory_displacement64();
                Some(moved.min(moved.wrapping_neg()))
            }
            Code::Add_r64_rm64 if groups::rebases(instruction, Register::RSP) => {
                // Accepted only as the second instruction of its group.
                let at = (instruction.ip32() - self.text.offset) as usize;
                return if self.interiors.contains(at) {
                    Ok(())
                } else {
                    Err(Rule::R6.into())
                };
            }
            _ => None,
        };
        if let Some(moved) = constant {
            self.drift = self.drift.saturating_add(moved);
            if self.drift > u64::from(STACK_DRIFT_MAX) {
                self.drift = 0;
                return Err(Rule::R7.into());
            }
            return Ok(());
        }
        let truncates = operand == 0
            && instruction.op0_register() == Register::ESP
            && may_truncate(instruction.code());
        self.rebase_pending = truncates;
        if truncates {
            Ok(())
        } else {
            Err(Rule::R6.into())
        }
    }

    /// Reports the previous instruction if this one does not re-base what it left in `%rsp`.
    pub(super) fn settle_rebase(&mut self, instruction: &Instruction) {
        if !self.rebase_pending {
            return;
        }
        self.rebase_pending = false;
        if groups::rebases(instruction, Register::RSP) {
            self.mark_interior(instruction, 1);
            self.drift = 0;
        } else if let Some(previous) = self.history.back(1) {
            self.report.add(previous, Rule::R6, false);
        }
    }

    /// No constant may have moved `%rsp` unproved when control goes elsewhere.
    pub(super) fn settle_drift(&mut self) -> Verdict {
        match std::mem::take(&mut self.drift) {
            0 => Ok(()),
            _ => Err(Rule::R7.into()),
        }
    }
}

/// Whether reads of this class may go anywhere when reads are not protected.
fn class_may_read_freely(class: Class) -> bool {
    matches!(class, Class::Plain | Class::Push | Class::Prefetch)
}

/// 32-bit instructions that may leave an offset in `%esp` for the next one to re-base.
fn may_truncate(code: Code) -> bool {
    matches!(
        code,
        Code::Mov_r32_rm32
            | Code::Mov_rm32_r32
            | Code::Lea_r32_m
            | Code::Add_rm32_imm8
            | Code::Add_rm32_imm32
            | Code::Add_rm32_r32
            | Code::Add_r32_rm32
            | Code::Sub_rm32_imm8
            | Code::Sub_rm32_imm32
            | Code::Sub_rm32_r32
            | Code::Sub_r32_rm32
            | Code::And_rm32_imm8
            | Code::And_rm32_imm32
            | Code::And_rm32_r32
            | Code::And_r32_rm32
    )
}

/// Prefixes that are part of no form: `lock` and repetition where they do nothing, segments
/// without a memory operand that needs one.
pub(super) fn check_prefixes(instruction: &Instruction, spec: &Spec) -> Verdict {
    let string = matches!(spec.class, Class::MoveString | Class::StoreString);
    if instruction.has_repne_prefix() || (instruction.has_rep_prefix() && !string) {
        return Err(Rule::R3.into());
    }
    let memory =
        (0..instruction.op_count()).any(|operand| instruction.op_kind(operand) == OpKind::Memory);
    if instruction.has_lock_prefix() && !(memory && spec.accesses[0] == Access::ReadWrite) {
        return Err(Rule::R3.into());
    }
    let computes = matches!(spec.class, Class::Lea | Class::Nop);
    if computes && reach::is_truncated(instruction) {
        return Err(Rule::R3.into());
    }
    match instruction.segment_prefix() {
        Register::None => Ok(()),
        // Part of the padding that assemblers write.
        Register::CS if spec.class == Class::Nop && memory => Ok(()),
        Register::GS if memory && !computes => Ok(()),
        _ => Err(Rule::R3.into()),
    }
}
