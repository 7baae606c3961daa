//! What the verifier says about code that it refuses.

use std::fmt;

use iced_x86::{Formatter, GasFormatter, Instruction};

use super::Text;
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
    /// The first violations, at most [`VIOLATIONS_MAX`]: those in functions that the host may
    /// enter, in order of offset, then those elsewhere.
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
///
/// Those in functions that the host may enter come first, unless they are weak: they are the
/// author's own, while what else an object holds may have come from a header.
pub(super) struct Report<'a> {
    symbols: &'a SymbolTable,
    /// Where the host may enter, sorted.
    entries: Vec<u32>,
    in_entries: Vec<Violation>,
    elsewhere: Vec<Violation>,
    described_max: usize,
    total: u64,
    /// Whether every violation is an unprotected read.
    only_reads: bool,
}

impl<'a> Report<'a> {
    pub(super) fn new(text: &Text<'a>, described_max: usize) -> Self {
        let mut sorted_entries = text.entries.to_vec();
        sorted_entries.sort_unstable();
        Self {
            symbols: text.symbols,
            entries: sorted_entries,
            in_entries: Vec::new(),
            elsewhere: Vec::new(),
            described_max,
            total: 0,
            only_reads: true,
        }
    }

    /// Adds a violation by an instruction; `read` if it merely reads without protection.
    pub(super) fn add(&mut self, instruction: &Instruction, rule: Rule, read: bool) {
        self.total += 1;
        self.only_reads &= read;
        // Instructions are decoded at their sandbox offset, which has 32 bits.
        let offset = instruction.ip32();
        let list = if self.is_in_entry(offset) {
            &mut self.in_entries
        } else {
            &mut self.elsewhere
        };
        if list.len() < self.described_max {
            list.push(Violation {
                offset,
                rule,
                symbol: self.symbols.describe(offset),
                instruction: format_gas(instruction),
                advice: advice(rule, instruction),
            });
        }
    }

    /// Whether an offset belongs to a function of the author's that the host may enter.
    fn is_in_entry(&self, offset: u32) -> bool {
        let function = self.symbols.locate(offset);
        let start = function.map(|(_, distance)| offset - distance);
        let entered = start.is_some_and(|start| self.entries.binary_search(&start).is_ok());
        entered && !self.symbols.is_weak(offset)
    }

    /// The rejection, if there is anything to reject.
    pub(super) fn finish(mut self, instrumented: bool) -> Option<Rejection> {
        let diagnosis = match (self.total, instrumented, self.only_reads) {
            (0, _, _) => return None,
            (_, false, _) => Diagnosis::NotInstrumented,
            (_, true, true) => Diagnosis::WithoutReadProtection,
            (_, true, false) => Diagnosis::Violations,
        };
        for list in [&mut self.in_entries, &mut self.elsewhere] {
            list.sort_by_key(|violation| (violation.offset, violation.rule));
        }
        let mut violations = self.in_entries;
        violations.append(&mut self.elsewhere);
        violations.truncate(self.described_max);
        Some(Rejection {
            violations,
            total: self.total,
            diagnosis,
        })
    }
}

/// The text of an instruction in the syntax of the GNU assembler.
pub(super) fn format_gas(instruction: &Instruction) -> String {
    let mut formatter = GasFormatter::new();
    formatter.options_mut().set_uppercase_hex(false);
    formatter.options_mut().set_first_operand_char_index(0);
    let mut text = String::new();
    formatter.format(instruction, &mut text);
    text
}
