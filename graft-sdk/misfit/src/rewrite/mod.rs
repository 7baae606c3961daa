//! Writes the instrumented program, statement by statement.
//!
//! Each protection has a file: [`control`] (`-c`), [`memory`] (`-r`, `-w`), [`stack`] (`-s`), and
//! [`text`] for string instructions, which need both kinds of memory protection; [`flags`] keeps
//! conditions that their groups would destroy, and [`table`] those that jump tables would; [`tail`]
//! lets returns share instructions. What none of them claims is copied.

mod control;
mod flags;
mod memory;
mod stack;
mod table;
mod tail;
mod text;

pub(crate) use stack::writes_stack_pointer as writes_stack;

use std::cell::OnceCell;
use std::fmt::{self, Write};

use flags::KeptConditions;
use table::Comparisons;
use tail::Tails;
use vino_abi::{BASE_SLOT, LABEL_TARGET};

use crate::Options;
use crate::diagnostic::{Diagnostics, Refusal};
use crate::directive::{self, Section};
use crate::isa::{Effect, Kind};
use crate::labels::Labels;
use crate::liveness::{Bias, Liveness};
use crate::register::{double_name, quad_name};
use crate::source::{Program, Statement, StatementKind};

/// The local symbol of an `int3`, where failed label checks end in functions that do not return.
pub(crate) const FAIL_SYMBOL: &str = "vino_cfi_fail";

/// Instruments a program; what cannot be made safe is reported to `problems`.
pub(crate) fn rewrite(
    program: &Program<'_>,
    input_bytes: usize,
    options: &Options,
    problems: &mut Diagnostics,
) -> String {
    let labels = Labels::collect(program);
    let liveness = Liveness::analyse(program, &labels, Bias::Live);
    let tails = Tails::plan(program, &labels, options);
    let mut rewriter = Rewriter {
        program,
        labels: &labels,
        liveness: &liveness,
        certain: OnceCell::new(),
        options,
        probes: stack::plan_probes(program, &tails, options),
        tails,
        conditions: KeptConditions::default(),
        comparisons: Comparisons::plan(program, &labels, &liveness),
        // Instrumented text is about a third longer.
        out: String::with_capacity(input_bytes + input_bytes / 2),
        target_due: false,
        fail_used: false,
        locals: 0,
    };
    rewriter.keep_conditions();
    for statement in &program.statements {
        if let Err(refusal) = rewriter.statement(statement) {
            problems.report(refusal, statement.line, statement.text);
        }
    }
    rewriter.finish()
}

struct Rewriter<'r, 'a> {
    program: &'r Program<'a>,
    labels: &'r Labels<'a>,
    liveness: &'r Liveness,
    /// Liveness that errs towards "dead", computed when it is first asked for.
    certain: OnceCell<Liveness>,
    options: &'r Options,
    /// Whether a stack probe follows each instruction.
    probes: Vec<bool>,
    tails: Tails,
    conditions: KeptConditions<'a>,
    comparisons: Comparisons,
    out: String,
    /// Whether a label that indirect calls or jumps may reach has been written, but not its mark.
    target_due: bool,
    fail_used: bool,
    /// How many local labels have been made up.
    locals: usize,
}

impl<'a> Rewriter<'_, 'a> {
    fn statement(&mut self, statement: &Statement<'a>) -> Result<(), Refusal> {
        match statement.kind {
            StatementKind::Label(name) => {
                if name == FAIL_SYMBOL {
                    return Err(Refusal::new(
                        "already instrumented",
                        "give misfit the output of the compiler, once",
                    ));
                }
                self.write(format_args!("{name}:"));
                self.target_due |= self.options.indirect_calls
                    && statement.section == Section::Text
                    && self.labels.is_taken(name);
            }
            StatementKind::Directive { name, .. } => {
                if directive::moves_location(name) || directive::selects_section(name) {
                    self.flush_target();
                }
                self.line(format_args!("{}", statement.text));
            }
            StatementKind::Assignment { .. } => self.line(format_args!("{}", statement.text)),
            StatementKind::Instruction(at) if self.tails.is_left_out(at) => {}
            StatementKind::Instruction(at) => {
                self.flush_target();
                self.repeat_comparison(at);
                self.keep_condition(at);
                if let Some(target) = self.tails.jump(at) {
                    self.line(format_args!("jmp {target}"));
                } else {
                    if let Some(label) = self.tails.label(at) {
                        self.write(format_args!("{label}:"));
                    }
                    self.instruction(at)?;
                }
            }
        }
        Ok(())
    }

    fn instruction(&mut self, at: usize) -> Result<(), Refusal> {
        let program = self.program;
        let instruction = &program.instructions[at];
        match instruction.effect.kind {
            Kind::Return if self.options.indirect_calls => self.checked_return(at),
            Kind::Call => self.call(at, instruction)?,
            Kind::Jump => self.jump(at, instruction)?,
            Kind::Branch => self.branch(at, instruction)?,
            Kind::Leave if self.options.stack => self.leave(at)?,
            Kind::Text(operation) => self.text_operation(at, instruction, operation)?,
            Kind::ClearDirection => {}
            // Hypervisors intercept `ud2`, which then costs three times as much.
            Kind::Trap => self.line(format_args!("int3")),
            Kind::Identify => self.identify(&instruction.effect),
            Kind::Nop if !instruction.operands.is_empty() => self.line(format_args!("nop")),
            _ if self.options.stack && stack::writes_stack_pointer(instruction) => {
                self.stack_pointer(at, instruction)?;
            }
            _ => {
                let mnemonic = self.test_condition(at, instruction.mnemonic);
                self.plain_as(instruction, mnemonic)?;
            }
        }
        if self.probes[at] {
            self.probe(at);
        }
        Ok(())
    }

    /// Answers as a processor without optional features does, which is the same everywhere.
    ///
    /// Code that asks falls back to what it was compiled for; a real answer would make a run depend
    /// on the machine, and the verifier refuses it.
    fn identify(&mut self, effect: &Effect) {
        for number in (0..16).filter(|number| effect.defines.contains(*number)) {
            self.line(format_args!("movl $0, %{}", double_name(number)));
        }
    }

    fn flush_target(&mut self) {
        if std::mem::take(&mut self.target_due) {
            self.label_bytes(LABEL_TARGET);
        }
    }

    fn label_bytes(&mut self, label: [u8; 8]) {
        let [a, b, c, d, e, f, g, h] = label;
        self.line(format_args!(
            ".byte {a:#x},{b:#x},{c:#x},{d:#x},{e},{f},{g},{h}"
        ));
    }

    /// Turns an offset in a zero-extended register into a pointer into the sandbox.
    fn rebase(&mut self, register: u8) {
        self.line(format_args!(
            "addq %gs:{BASE_SLOT:#x}, %{}",
            quad_name(register)
        ));
    }

    /// Keeps the low half of a register.
    fn truncate(&mut self, register: u8) {
        let name = double_name(register);
        self.line(format_args!("movl %{name}, %{name}"));
    }

    fn new_local(&mut self) -> String {
        self.locals += 1;
        format!(".Lvino_{}", self.locals)
    }

    /// Writes an instruction or a directive.
    fn line(&mut self, text: fmt::Arguments<'_>) {
        self.out.push('\t');
        self.write(text);
    }

    fn write(&mut self, text: fmt::Arguments<'_>) {
        match text.as_str() {
            Some(text) => self.out.push_str(text),
            // Writing to a string cannot fail.
            None => drop(self.out.write_fmt(text)),
        }
        self.out.push('\n');
    }

    fn finish(mut self) -> String {
        self.flush_target();
        if self.fail_used {
            self.line(format_args!(".text"));
            self.line(format_args!(".type {FAIL_SYMBOL}, @function"));
            self.write(format_args!("{FAIL_SYMBOL}:"));
            self.line(format_args!("int3"));
            self.line(format_args!(".size {FAIL_SYMBOL}, .-{FAIL_SYMBOL}"));
        }
        self.out
    }
}
