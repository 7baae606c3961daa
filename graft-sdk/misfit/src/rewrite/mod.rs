//! Writes the instrumented program, statement by statement.
//!
//! Each protection has a file: [`control`] (`-c`), [`memory`] (`-r`, `-w`), [`stack`] (`-s`), and
//! [`text`] for string instructions, which need both kinds of memory protection. What none of them
//! claims is copied.

mod control;
mod memory;
mod stack;
mod text;

pub(crate) use stack::writes_stack_pointer as writes_stack;

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fmt::{self, Write};

use vino_abi::{BASE_SLOT, LABEL_TARGET};

use crate::Options;
use crate::diagnostic::{Diagnostics, Refusal};
use crate::directive::{self, Section};
use crate::isa::{Access, Flags, Kind};
use crate::labels::Labels;
use crate::liveness::{self, Gotos, Liveness};
use crate::register::{RBP, RSP, RegisterSet, double_name, quad_name};
use crate::source::{Program, Statement, StatementKind};

/// The local symbol where every failed label check ends, at a `ud2`.
pub(crate) const FAIL_SYMBOL: &str = "vino_cfi_fail";

/// How many instructions before a group the comparison may stand whose flags the group would
/// destroy.
const SINK_WINDOW: usize = 16;

/// Instruments a program; what cannot be made safe is reported to `problems`.
pub(crate) fn rewrite(
    program: &Program<'_>,
    input_bytes: usize,
    options: &Options,
    problems: &mut Diagnostics,
) -> String {
    let labels = Labels::collect(program);
    let liveness = Liveness::analyse(program, &labels, Gotos::Anywhere);
    let mut rewriter = Rewriter {
        program,
        labels: &labels,
        liveness: &liveness,
        certain: OnceCell::new(),
        options,
        probes: stack::plan_probes(program, options),
        sunk: HashMap::new(),
        raised: HashMap::new(),
        // Instrumented text is about a third longer.
        out: String::with_capacity(input_bytes + input_bytes / 2),
        target_due: false,
        fail_used: false,
        locals: 0,
    };
    rewriter.sink_comparisons();
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
    /// Comparisons that are written later, and after which instruction.
    sunk: HashMap<usize, usize>,
    /// The reverse of `sunk`.
    raised: HashMap<usize, usize>,
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
            StatementKind::Instruction(at) => {
                self.flush_target();
                if self.sunk.contains_key(&at) {
                    return Ok(());
                }
                self.instruction(at)?;
                if let Some(comparison) = self.raised.get(&at).copied() {
                    self.instruction(comparison)?;
                }
            }
        }
        Ok(())
    }

    fn instruction(&mut self, at: usize) -> Result<(), Refusal> {
        let program = self.program;
        let instruction = &program.instructions[at];
        match instruction.effect.kind {
            Kind::Return if self.options.indirect_calls => self.checked_return(),
            Kind::Call => self.call(at, instruction)?,
            Kind::Jump => self.jump(at, instruction)?,
            Kind::Branch => self.branch(at, instruction)?,
            Kind::Leave if self.options.stack => self.leave(at)?,
            Kind::Text(operation) => self.text_operation(at, instruction, operation)?,
            Kind::ClearDirection => {}
            Kind::Nop if !instruction.operands.is_empty() => self.line(format_args!("nop")),
            _ if self.options.stack && stack::writes_stack_pointer(instruction) => {
                self.stack_pointer(at, instruction)?;
            }
            _ => self.plain(instruction)?,
        }
        if self.probes[at] {
            self.probe(at);
        }
        Ok(())
    }

    /// Decides which comparisons move behind a group that would destroy their flags.
    fn sink_comparisons(&mut self) {
        for at in 0..self.program.instructions.len() {
            if self.clobbers_flags(at)
                && self.liveness.flags_live_after(at)
                && let Some(comparison) = self.sinkable_before(at)
            {
                self.sunk.insert(comparison, at);
            }
        }
        self.raised = self
            .sunk
            .iter()
            .map(|(comparison, at)| (*at, *comparison))
            .collect();
    }

    /// Whether instrumentation makes an instruction that keeps the flags destroy them.
    fn clobbers_flags(&self, at: usize) -> bool {
        let instruction = &self.program.instructions[at];
        if instruction.effect.flags != Flags::Keep {
            return false;
        }
        match instruction.effect.kind {
            Kind::Leave => self.options.stack,
            Kind::Text(_) => text::is_guarded(self.options),
            _ => self.options.stack && stack::needs_group(instruction),
        }
    }

    /// Finds the comparison whose flags are live after `at`, if nothing in between minds when it
    /// happens.
    fn sinkable_before(&self, at: usize) -> Option<usize> {
        let mut written = RegisterSet::EMPTY;
        let mut stores = false;
        for before in (at.saturating_sub(SINK_WINDOW)..=at).rev() {
            let instruction = &self.program.instructions[before];
            let effect = &instruction.effect;
            let (uses, _) = liveness::uses_and_definitions(instruction);
            let is_comparison = effect.access == Access::Read && effect.flags == Flags::Set;
            if is_comparison && effect.kind == Kind::Plain && effect.uses == RegisterSet::EMPTY {
                let loads = instruction.operands.iter().any(|o| o.memory().is_some());
                let moves = uses.intersects(written) || (loads && stores);
                return (!moves && self.is_straight(before, at)).then_some(before);
            }
            if effect.flags != Flags::Keep || effect.reads_flags {
                return None;
            }
            written = written
                .union(liveness::written(instruction))
                .union(effect.defines);
            match effect.kind {
                Kind::Plain | Kind::Address => {
                    let target = instruction.last();
                    stores |= target.is_some_and(|o| o.memory().is_some());
                }
                Kind::Push | Kind::Pop | Kind::Leave => {
                    written = written.union(RegisterSet::of(&[RSP, RBP]));
                    stores = true;
                }
                Kind::Text(_) => {
                    written = written.union(effect.uses);
                    stores = true;
                }
                _ => return None,
            }
        }
        None
    }

    /// Whether no label stands between two instructions.
    fn is_straight(&self, first: usize, last: usize) -> bool {
        let [from, to] = [first, last].map(|at| self.program.instructions[at].statement);
        let between = &self.program.statements[from..to];
        between
            .iter()
            .all(|statement| !matches!(statement.kind, StatementKind::Label(_)))
    }

    /// Refuses a group that would destroy flags that are still needed.
    fn require_dead_flags(&self, at: usize) -> Result<(), Refusal> {
        if self.liveness.flags_live_after(at) && !self.raised.contains_key(&at) {
            return Err(Refusal::new(
                "the flags must survive an instruction whose safe form changes them",
                "compile this function with another -O level",
            ));
        }
        Ok(())
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
            self.line(format_args!("ud2"));
            self.line(format_args!(".size {FAIL_SYMBOL}, .-{FAIL_SYMBOL}"));
        }
        self.out
    }
}
