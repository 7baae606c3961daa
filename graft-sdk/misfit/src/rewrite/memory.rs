//! `-r` and `-w`: loads and stores stay in the sandbox.

use super::Rewriter;
use crate::diagnostic::Refusal;
use crate::isa::{Access, Kind};
use crate::operand::{Memory, Operand};
use crate::register::{Register, Width};
use crate::source::Instruction;

impl<'a> Rewriter<'_, 'a> {
    /// An instruction that touches memory through its operands only.
    pub(super) fn plain(&mut self, instruction: &Instruction<'a>) -> Result<(), Refusal> {
        self.plain_as(instruction, instruction.mnemonic)
    }

    /// Like [`Rewriter::plain`], under another name.
    pub(super) fn plain_as(
        &mut self,
        instruction: &Instruction<'a>,
        mnemonic: &str,
    ) -> Result<(), Refusal> {
        refuse_odd_stack_operands(instruction)?;
        let count = instruction.operands.len();
        let mut is_changed = mnemonic != instruction.mnemonic;
        let mut operands = String::new();
        for (position, operand) in instruction.operands.iter().enumerate() {
            let is_last = position + 1 == count;
            let star = if instruction.indirect { "*" } else { "" };
            operands.push_str(if position == 0 { star } else { ", " });
            match operand.memory() {
                Some(memory) if self.is_protected(instruction, is_last) && !stays(memory) => {
                    operands.push_str(&memory.sandboxed()?);
                    is_changed = true;
                }
                _ => operands.push_str(operand.text),
            }
        }
        let prefix = instruction.prefix.text();
        if is_changed {
            self.line(format_args!("{prefix}{mnemonic} {operands}"));
        } else {
            self.line(format_args!("{prefix}{}", instruction.text));
        }
        Ok(())
    }

    /// Whether the options protect a memory operand in the last or another place.
    fn is_protected(&self, instruction: &Instruction<'_>, is_last: bool) -> bool {
        let effect = &instruction.effect;
        if effect.kind == Kind::Address {
            return false;
        }
        match effect.access {
            Access::Exchange => self.options.reads || self.options.writes,
            Access::ReadWrite if is_last => self.options.reads || self.options.writes,
            Access::Write | Access::Clear | Access::WriteTwo if is_last => self.options.writes,
            _ => self.options.reads,
        }
    }

    /// The text of a memory operand that is only read.
    pub(super) fn readable(
        &self,
        operand: &Operand<'a>,
        memory: &Memory<'a>,
    ) -> Result<String, Refusal> {
        if self.options.reads && !stays(memory) {
            memory.sandboxed()
        } else {
            Ok(operand.text.to_owned())
        }
    }
}

/// Whether an address is safe as it is: `d(%rsp)`, which the stack rules keep in the sandbox, and
/// `symbol(%rip)`, which the verifier resolves.
fn stays(memory: &Memory<'_>) -> bool {
    memory.is_plain_stack() || memory.is_rip_relative()
}

fn refuse_odd_stack_operands(instruction: &Instruction<'_>) -> Result<(), Refusal> {
    let kind = instruction.effect.kind;
    if !matches!(kind, Kind::Push | Kind::Pop) {
        return Ok(());
    }
    let Some(operand) = instruction.last() else {
        return Err(Refusal::new(
            "push or pop without an operand",
            "complete the input",
        ));
    };
    match operand.register() {
        Some(Register::General(_, Width::Quad)) => Ok(()),
        Some(_) => Err(Refusal::new(
            "push or pop of part of a register",
            "push all 64 bits",
        )),
        None if kind == Kind::Pop && operand.memory().is_some_and(Memory::uses_stack_pointer) => {
            Err(Refusal::new(
                "pop to an address that depends on %rsp",
                "pop into a register, then store it",
            ))
        }
        None => Ok(()),
    }
}
