//! What the verifier says about code that it refuses.

use std::fmt;

use iced_x86::{Formatter, GasFormatter, Instruction};

use super::advice::advice;
use super::rule::Rule;
use crate::image::SymbolTable;

/// Violations that are described; more are only counted.
pub const VIOLATIONS_MAX: usize = 64;
/// Violations that the text of a rejection shows.
const VIOLATIONS_SHOWN_MAX: usize = 16;

/// One instruction that breaks one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Offset of the instruction in the sandbox.
    pub offset: u32,
    /// The rule that it breaks.
    pub rule: Rule,
    /// Where it is, in words: `vas_o::pick_victim+0x12`.
    pub symbol: Option<String>,
    /// The instruction in the syntax of the GNU assembler.
    pub instruction: String,
    /// What the author of the code can do.
    pub advice: &'static str,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.offset)?;
        if let Some(symbol) = &self.symbol {
            write!(f, " {symbol}")?;
        }
        write!(f, ": {}: {}", self.instruction, self.rule)
    }
}

/// What the violations have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Diagnosis {
    /// There is no sign of instrumentation.
    NotInstrumented,
    /// Only reads are unprotected.
    WithoutReadProtection,
    /// Nothing in particular.
    Violations,
}

impl Diagnosis {
    /// What the author of the object can do.
    pub fn advice(self) -> &'static str {
        match self {
            Self::NotInstrumented => {
                "the object is not instrumented: run misfit -crws on its assembly"
            }
            Self::WithoutReadProtection => {
                "the object is instrumented without -r and this kernel demands read protection: \
                 run misfit -crws on its assembly"
            }
            Self::Violations => "run misfit -crws on what the compiler wrote",
        }
    }
}

/// Why code may not run: every violation that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The first violations that were found, at most [`VIOLATIONS_MAX`], in order of offset.
    pub violations: Vec<Violation>,
    /// How many there are.
    pub total: u64,
    /// What they have in common.
    pub diagnosis: Diagnosis,
}

impl std::error::Error for Rejection {}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.total == 1 { "" } else { "s" };
        write!(
            f,
            "{} violation{plural}: {}",
            self.total,
            self.diagnosis.advice()
        )?;
        let shown = &self.violations[..self.violations.len().min(VIOLATIONS_SHOWN_MAX)];
        for violation in shown {
            write!(f, "\n  {violation}\n    {}", violation.advice)?;
        }
        match self.total - shown.len() as u64 {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

/// Collects violations.
pub(super) struct Report<'a> {
    symbols: &'a SymbolTable,
    violations: Vec<Violation>,
    total: u64,
    /// Whether every violation is an unprotected read.
    only_reads: bool,
}

impl<'a> Report<'a> {
    pub(super) fn new(symbols: &'a SymbolTable) -> Self {
        Self {
            symbols,
            violations: Vec::new(),
            total: 0,
            only_reads: true,
        }
    }

    /// Adds a violation by an instruction; `read` if it merely reads without protection.
    pub(super) fn add(&mut self, instruction: &Instruction, rule: Rule, read: bool) {
        self.total += 1;
        self.only_reads &= read;
        if self.violations.len() < VIOLATIONS_MAX {
            // Instructions are decoded at their sandbox offset, which has 32 bits.
            let offset = instruction.ip32();
            self.violations.push(Violation {
                offset,
                rule,
                symbol: self.symbols.describe(offset),
                instruction: format_gas(instruction),
                advice: advice(rule, instruction),
            });
        }
    }

    /// The rejection, if there is anything to reject.
    pub(super) fn finish(mut self, instrumented: bool) -> Option<Rejection> {
        let diagnosis = match (self.total, instrumented, self.only_reads) {
            (0, _, _) => return None,
            (_, false, _) => Diagnosis::NotInstrumented,
            (_, true, true) => Diagnosis::WithoutReadProtection,
            (_, true, false) => Diagnosis::Violations,
        };
        self.violations
            .sort_by_key(|violation| (violation.offset, violation.rule));
        Some(Rejection {
            violations: self.violations,
            total: self.total,
            diagnosis,
        })
    }
}

/// The text of an instruction in the syntax of the GNU assembler.
fn format_gas(instruction: &Instruction) -> String {
    let mut formatter = GasFormatter::new();
    formatter.options_mut().set_uppercase_hex(false);
    formatter.options_mut().set_first_operand_char_index(0);
    let mut text = String::new();
    formatter.format(instruction, &mut text);
    text
}
