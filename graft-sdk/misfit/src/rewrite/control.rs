//! `-c`: calls, jumps and returns reach only marked places.

use vino_abi::{LABEL_RETURN, LABEL_RETURN_IMM, LABEL_TARGET_IMM};

use super::{FAIL_SYMBOL, Rewriter, tail};
use crate::diagnostic::Refusal;
use crate::liveness::{Bias, Liveness};
use crate::operand::{Operand, OperandKind};
use crate::register::{R11, RSP, Register, Width, double_name, quad_name};
use crate::source::{Instruction, numeric_label, symbols};

impl<'a> Rewriter<'_, 'a> {
    pub(super) fn checked_return(&mut self, at: usize) {
        self.line(format_args!("movl (%rsp), %r11d"));
        let trap = tail::trap_label(at);
        self.check(R11, LABEL_RETURN_IMM, &trap);
        self.line(format_args!("movq %r11, (%rsp)"));
        self.line(format_args!("ret"));
        self.write(format_args!("{trap}:"));
        self.line(format_args!("int3"));
    }

    pub(super) fn call(&mut self, at: usize, instruction: &Instruction<'a>) -> Result<(), Refusal> {
        if !self.options.indirect_calls {
            return self.plain_transfer(instruction);
        }
        if let Some(symbol) = direct_symbol(instruction)? {
            self.refuse_scratch_across_call(at, symbol)?;
            match instruction.indirect {
                true => self.line(format_args!("call {symbol}")),
                false => self.line(format_args!("{}", instruction.text)),
            }
        } else {
            let register = self.checked_target(at, instruction, R11)?;
            self.line(format_args!("call *%{}", quad_name(register)));
        }
        self.label_bytes(LABEL_RETURN);
        Ok(())
    }

    pub(super) fn jump(&mut self, at: usize, instruction: &Instruction<'a>) -> Result<(), Refusal> {
        if !self.options.indirect_calls {
            return self.plain_transfer(instruction);
        }
        if let Some(symbol) = direct_symbol(instruction)? {
            match instruction.indirect {
                true => self.line(format_args!("jmp {symbol}")),
                false => self.line(format_args!("{}", instruction.text)),
            }
            return Ok(());
        }
        if self.liveness.flags_live_after(at) && !self.hands_on_comparison(at) {
            return Err(Refusal::new(
                "the flags must survive an indirect jump, whose safe form changes them",
                "compile with -fno-jump-tables",
            ));
        }
        let scratch = self.liveness.dead_after(at).ok_or_else(|| {
            Refusal::new(
                "no register is free for an indirect jump through memory",
                "compile with -fno-jump-tables, or without computed goto",
            )
        });
        let is_register = instruction
            .last()
            .is_some_and(|target| target.register().is_some());
        let register =
            self.checked_target(at, instruction, if is_register { R11 } else { scratch? })?;
        self.line(format_args!("jmp *%{}", quad_name(register)));
        Ok(())
    }

    /// A conditional jump. One that leaves the file becomes a jump over a jump, because the gates
    /// of imported functions are reached by calls and jumps only.
    pub(super) fn branch(
        &mut self,
        at: usize,
        instruction: &Instruction<'a>,
    ) -> Result<(), Refusal> {
        let target = direct_symbol(instruction)?
            .ok_or_else(|| Refusal::new("conditional jump to an address", "use a label"))?;
        let mnemonic = self.test_condition(at, instruction.mnemonic);
        let operand = instruction.operands[0].text;
        if self.labels.place(target, at).is_some() || numeric_label(target).is_some() {
            if mnemonic == instruction.mnemonic {
                return self.plain_transfer(instruction);
            }
            self.line(format_args!("{mnemonic} {operand}"));
            return Ok(());
        }
        let over = self.new_local();
        self.line(format_args!("{} {over}", inverted(mnemonic)));
        self.line(format_args!("jmp {operand}"));
        self.write(format_args!("{over}:"));
        Ok(())
    }

    /// Loads the target into a register, checks its label and makes it a sandbox pointer.
    fn checked_target(
        &mut self,
        at: usize,
        instruction: &Instruction<'a>,
        scratch: u8,
    ) -> Result<u8, Refusal> {
        let operand = instruction.last().ok_or_else(missing_target)?;
        let register = match operand.kind {
            OperandKind::Register(Register::General(number, Width::Quad)) if number != RSP => {
                self.truncate(number);
                number
            }
            OperandKind::Memory(memory) => {
                let source = self.readable(operand, &memory)?;
                self.line(format_args!("movl {source}, %{}", double_name(scratch)));
                scratch
            }
            _ => {
                return Err(Refusal::new(
                    "indirect jump through an unexpected register",
                    "jump through a 64-bit register other than %rsp",
                ));
            }
        };
        let trap = self.tails.trap(self.labels.owner(at));
        self.fail_used |= trap.is_none();
        let trap = trap.unwrap_or_else(|| FAIL_SYMBOL.to_owned());
        self.check(register, LABEL_TARGET_IMM, &trap);
        Ok(register)
    }

    fn check(&mut self, register: u8, label: u32, trap: &str) {
        self.line(format_args!(
            "cmpq ${label:#x}, %gs:(%{})",
            double_name(register)
        ));
        self.line(format_args!("jne {trap}"));
        self.rebase(register);
    }

    /// Without `-c`, transfers stay; what they read from memory may still need protection.
    fn plain_transfer(&mut self, instruction: &Instruction<'a>) -> Result<(), Refusal> {
        if instruction.indirect {
            return self.plain(instruction);
        }
        self.line(format_args!("{}", instruction.text));
        Ok(())
    }

    /// Refuses a call of a function in the same file across which the compiler keeps a value in
    /// the register that returns clobber.
    fn refuse_scratch_across_call(&self, at: usize, symbol: &str) -> Result<(), Refusal> {
        let Some(callee) = self.labels.place(symbol, at) else {
            return Ok(());
        };
        if !self.liveness.scratch_live_after(at) || !self.program.may_keep_scratch() {
            return Ok(());
        }
        let (program, labels) = (self.program, self.labels);
        let certain = || Liveness::analyse(program, labels, Bias::Dead);
        let is_live = self.certain.get_or_init(certain).scratch_live_after(at);
        if is_live && self.liveness.may_return(labels, callee) {
            return Err(Refusal::new(
                "a value in %r11 must survive a call, but returns use %r11",
                "compile with -fno-ipa-ra",
            ));
        }
        Ok(())
    }
}

/// The symbol of a direct transfer, or of one through the global offset table.
///
/// # Errors
///
/// Refuses direct targets that are not plain symbols: they would land between instructions.
fn direct_symbol<'a>(instruction: &Instruction<'a>) -> Result<Option<&'a str>, Refusal> {
    let [
        Operand {
            kind: OperandKind::Memory(memory),
            ..
        },
    ] = instruction.operands.as_slice()
    else {
        return if instruction.operands.len() == 1 && instruction.indirect {
            Ok(None)
        } else {
            Err(missing_target())
        };
    };
    if instruction.indirect {
        return Ok(memory.global_offset_symbol());
    }
    let target = instruction.direct_target().ok_or_else(missing_target)?;
    if symbols(target).next() == Some(target) {
        Ok(Some(target))
    } else {
        Err(Refusal::new(
            "jump or call to a computed address",
            "jump to a label",
        ))
    }
}

fn missing_target() -> Refusal {
    Refusal::new(
        "jump or call without a target that misfit understands",
        "write `*` before it",
    )
}

/// The conditional jump that is taken when the given one is not.
fn inverted(mnemonic: &str) -> String {
    match mnemonic {
        "jpe" => "jpo".to_owned(),
        "jpo" => "jpe".to_owned(),
        _ => match mnemonic.strip_prefix("jn") {
            Some(condition) => format!("j{condition}"),
            None => format!("jn{}", &mnemonic[1..]),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::inverted;

    #[test]
    fn conditions_invert_in_pairs() {
        for name in ["je", "jae", "jbe", "jle", "js", "jpe", "jp", "jnge"] {
            assert_ne!(inverted(name), name);
            assert_eq!(inverted(&inverted(name)), name);
        }
    }
}
