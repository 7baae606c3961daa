//! `-s`: `%rsp` never leaves the sandbox.
//!
//! Small constant adjustments stay, as long as a stack access follows before control can go
//! elsewhere: that access is the probe, and [`plan_probes`] adds one where the compiler has none.
//! Every other write to `%rsp` becomes a write to `%esp` and a re-base.

use vino_abi::STACK_DRIFT_MAX;

use super::Rewriter;
use super::tail::Tails;
use crate::Options;
use crate::diagnostic::Refusal;
use crate::isa::{Access, Kind, TextOperation};
use crate::operand::{Memory, OperandKind, number};
use crate::register::{RBP, RSP, Register, Width, double_name};
use crate::source::{Instruction, Program};

/// How far above `%rsp` an access may be and still prove that `%rsp` is in the sandbox.
///
/// The lowest [`vino_abi::BASE_SLOT`] bytes of a sandbox are never mapped, so an access this close
/// to a stack pointer below the sandbox faults. Half of it leaves room for the access itself.
const PROBE_DISPLACEMENT_MAX: i64 = 0x8000;

const PLAIN_STACK: Register = Register::General(RSP, Width::Quad);

/// What an instruction means for the distance between `%rsp` and the last place that was accessed.
enum Step {
    /// `%rsp` moves by a constant.
    Adjust(u64),
    /// The stack is accessed, or `%rsp` is re-based.
    Settle,
    /// Control may go elsewhere before the stack is accessed.
    Transfer,
    Other,
}

/// Decides after which instructions a stack access has to be added.
pub(super) fn plan_probes(program: &Program<'_>, tails: &Tails, options: &Options) -> Vec<bool> {
    let mut probes = vec![false; program.instructions.len()];
    if !options.stack {
        return probes;
    }
    let mut drift = 0;
    let mut last = None;
    for (at, instruction) in program.instructions.iter().enumerate() {
        let step = match tails.jump(at) {
            Some(_) => Step::Transfer,
            None if tails.is_left_out(at) => continue,
            None => step(instruction, options),
        };
        match step {
            Step::Adjust(bytes) => {
                if drift + bytes > u64::from(STACK_DRIFT_MAX)
                    && let Some(last) = last
                {
                    probes[last] = true;
                    drift = 0;
                }
                drift += bytes;
                last = Some(at);
            }
            Step::Settle => (drift, last) = (0, None),
            Step::Transfer => {
                if let Some(last) = last.take() {
                    probes[last] = true;
                }
                drift = 0;
            }
            Step::Other => {}
        }
    }
    probes
}

fn step(instruction: &Instruction<'_>, options: &Options) -> Step {
    if let Some(bytes) = constant_adjustment(instruction) {
        return if bytes <= u64::from(STACK_DRIFT_MAX) {
            Step::Adjust(bytes)
        } else {
            Step::Settle
        };
    }
    if writes_stack_pointer(instruction) {
        return Step::Settle;
    }
    match instruction.effect.kind {
        Kind::Push | Kind::Pop | Kind::Return | Kind::Leave => Step::Settle,
        // The check of an indirect call branches before the call accesses the stack.
        Kind::Call if instruction.indirect && options.indirect_calls => Step::Transfer,
        Kind::Call => Step::Settle,
        Kind::Jump | Kind::Branch => Step::Transfer,
        Kind::Text(TextOperation::Compare | TextOperation::Scan) => Step::Transfer,
        Kind::Plain
            if instruction
                .operands
                .iter()
                .filter_map(|o| o.memory())
                .any(is_probe) =>
        {
            Step::Settle
        }
        _ => Step::Other,
    }
}

fn is_probe(memory: &Memory<'_>) -> bool {
    let near = 0..=PROBE_DISPLACEMENT_MAX;
    memory.is_plain_stack()
        && memory
            .displacement_value()
            .is_some_and(|at| near.contains(&at))
}

/// By how many bytes an instruction of the forms that may stay moves `%rsp`.
fn constant_adjustment(instruction: &Instruction<'_>) -> Option<u64> {
    let [source, target] = instruction.operands.as_slice() else {
        return None;
    };
    if target.register() != Some(PLAIN_STACK) {
        return None;
    }
    let bytes = match (instruction.mnemonic, source.kind) {
        ("addq" | "add" | "subq" | "sub", OperandKind::Immediate(expression)) => {
            number(expression)?
        }
        ("leaq" | "lea", OperandKind::Memory(memory)) if memory.is_plain_stack() => {
            memory.displacement_value()?
        }
        _ => return None,
    };
    Some(bytes.unsigned_abs())
}

/// Whether an instruction writes `%rsp` through an operand.
pub(crate) fn writes_stack_pointer(instruction: &Instruction<'_>) -> bool {
    let is_stack = |register: Option<Register>| register.is_some_and(Register::is_stack_pointer);
    let mut targets = instruction
        .operands
        .iter()
        .rev()
        .map(|operand| operand.register());
    match instruction.effect.access {
        Access::Read => false,
        Access::Write | Access::Clear | Access::ReadWrite => targets.next().is_some_and(is_stack),
        Access::WriteTwo => targets.take(2).any(is_stack),
        Access::Exchange => targets.any(is_stack),
    }
}

/// Whether an instruction writes `%rsp` in a way that takes a re-base group.
pub(super) fn needs_group(instruction: &Instruction<'_>) -> bool {
    writes_stack_pointer(instruction)
        && constant_adjustment(instruction).is_none_or(|bytes| bytes > u64::from(STACK_DRIFT_MAX))
}

impl<'a> Rewriter<'_, 'a> {
    pub(super) fn leave(&mut self, at: usize) -> Result<(), Refusal> {
        self.require_dead_flags(at)?;
        self.line(format_args!("movl %{}, %esp", double_name(RBP)));
        self.rebase(RSP);
        self.line(format_args!("popq %rbp"));
        Ok(())
    }

    /// An instruction that writes `%rsp`.
    pub(super) fn stack_pointer(
        &mut self,
        at: usize,
        instruction: &Instruction<'a>,
    ) -> Result<(), Refusal> {
        if !needs_group(instruction) {
            self.line(format_args!("{}", instruction.text));
            return Ok(());
        }
        let operation = match instruction.mnemonic {
            "movq" | "mov" => "movl",
            "leaq" | "lea" => "leal",
            "addq" | "add" => "addl",
            "subq" | "sub" => "subl",
            "andq" | "and" => "andl",
            _ => return Err(refused()),
        };
        let [source, target] = instruction.operands.as_slice() else {
            return Err(refused());
        };
        if target.register() != Some(PLAIN_STACK) {
            return Err(refused());
        }
        let source = match source.kind {
            OperandKind::Register(Register::General(register, Width::Quad)) => {
                format!("%{}", double_name(register))
            }
            OperandKind::Register(_) => return Err(refused()),
            OperandKind::Immediate(expression) => {
                let value = number(expression).filter(|_| operation != "movl");
                let value = value
                    .and_then(|value| i32::try_from(value).ok())
                    .ok_or_else(refused)?;
                format!("${value}")
            }
            OperandKind::Memory(_) if operation == "leal" => source.text.to_owned(),
            OperandKind::Memory(memory) => self.readable(source, &memory)?,
        };
        self.require_dead_flags(at)?;
        self.line(format_args!("{operation} {source}, %esp"));
        self.rebase(RSP);
        Ok(())
    }

    /// Accesses the stack, without changing anything but flags that are dead.
    pub(super) fn probe(&mut self, at: usize) {
        if self.liveness.flags_live_after(at) {
            self.line(format_args!("notb (%rsp)"));
            self.line(format_args!("notb (%rsp)"));
        } else {
            self.line(format_args!("cmpb $0, (%rsp)"));
        }
    }
}

fn refused() -> Refusal {
    Refusal::new(
        "no safe form is known for this write to %rsp",
        "let the compiler manage the stack, without inline assembly that switches it",
    )
}
