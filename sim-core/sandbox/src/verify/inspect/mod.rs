//! Shows what the verifier sees: every instruction with its role, the rules that bind it and what
//! it breaks.
//!
//! [`Inspection::new`] judges text as [`verify`](super::verify()) does, and keeps what it learnt of
//! groups and labels; [`Inspection::listing`] gives accepted and rejected text alike, instruction
//! by instruction, and [`Inspection::summary`] says how much of it is instrumentation. Nothing here
//! takes part in the decision.

mod roles;

use std::ops::Range;

use iced_x86::{Decoder, DecoderOptions, Instruction, OpKind, Register};
use vino_abi::{GATE_BYTES, IMPORT_GATES_OFFSET, IMPORTS_MAX};

pub use roles::{Role, RoleCount, Summary};

use self::roles::Roles;
use super::report::{Rejection, Violation, format_gas};
use super::rule::Rule;
use super::scan::{Scanned, Scanner};
use super::{Policy, Text};

/// Violations that an inspection describes; more are only counted.
const VIOLATIONS_INSPECTED_MAX: usize = 1 << 16;

/// Text, and what the verifier makes of it.
#[derive(Debug)]
pub struct Inspection<'a> {
    text: Text<'a>,
    roles: Roles,
    rejection: Option<Rejection>,
    /// Places in the list of violations, by offset.
    by_offset: Vec<usize>,
}

/// Where a branch goes or what an operand relative to `%rip` refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The address, as an offset from the base of the sandbox.
    pub offset: u64,
    /// The import whose gate it is.
    pub import: Option<u32>,
    /// Where it is, in words.
    pub symbol: Option<String>,
}

/// One instruction of a listing, or a run of fill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedInstruction<'a> {
    /// Offset in the sandbox.
    pub offset: u32,
    /// Its bytes; those of all, if it is repeated.
    pub bytes: &'a [u8],
    /// The instruction in the syntax of the GNU assembler.
    pub text: String,
    /// How many times it stands here: more than once only for fill.
    pub repeated: usize,
    /// The (readable) symbol that starts here.
    pub label: Option<String>,
    /// What it is there for.
    pub role: Role,
    /// The rules that bind it because of what it is. R1, R2, R3 and R12 bind every instruction.
    pub rules: Vec<Rule>,
    /// Where it goes, or what it refers to.
    pub target: Option<Target>,
    /// What it breaks.
    pub violations: Vec<&'a Violation>,
}

impl<'a> Inspection<'a> {
    /// Judges text, and keeps what there is to show.
    ///
    /// # Panics
    ///
    /// If the text does not fit in a sandbox at its offset.
    pub fn new(text: &Text<'a>, policy: &Policy) -> Self {
        text.assert_fits();
        let Scanned {
            interiors,
            rejection,
            ..
        } = Scanner::new(text, policy, VIOLATIONS_INSPECTED_MAX).run();
        let violations = rejection.iter().flat_map(|found| &found.violations);
        let mut by_offset: Vec<(u32, Rule, usize)> = violations
            .enumerate()
            .map(|(place, violation)| (violation.offset, violation.rule, place))
            .collect();
        by_offset.sort_unstable();
        Self {
            text: text.clone(),
            roles: Roles::assign(text, &interiors),
            rejection,
            by_offset: by_offset.into_iter().map(|(_, _, place)| place).collect(),
        }
    }

    /// Why the text may not run, `None` if it may.
    pub fn rejection(&self) -> Option<&Rejection> {
        self.rejection.as_ref()
    }

    /// How many instructions there are of each role, and how many bytes they take.
    pub fn summary(&self) -> &Summary {
        self.roles.summary()
    }

    /// The instructions that start in a range of offsets, in order.
    ///
    /// The range is widened to whole instructions; runs of fill are one line.
    pub fn listing(&self, range: Range<u32>) -> impl Iterator<Item = ListedInstruction<'_>> {
        let start = range.start.saturating_sub(self.text.offset) as usize;
        let end = range.end.saturating_sub(self.text.offset) as usize;
        let end = end.min(self.text.bytes.len());
        let mut position = self.roles.start_at(start.min(end));
        std::iter::from_fn(move || {
            (position < end).then(|| {
                let line = self.line(position);
                position += line.bytes.len().max(1);
                line
            })
        })
    }

    /// The instructions of the function that an offset belongs to.
    pub fn function_range(&self, offset: u32) -> Range<u32> {
        self.text.symbols.extent(offset)
    }

    fn line(&self, position: usize) -> ListedInstruction<'_> {
        let instruction = decode(&self.text, position);
        let (role, group_rule) = self.roles.at(position);
        let repeated = match role {
            Role::Fill => self.roles.fill_run(position),
            _ => 1,
        };
        let len = instruction.len().max(1) * repeated;
        let end = self.text.bytes.len().min(position + len);
        let offset = instruction.ip32();
        let entered = self.text.entries.contains(&offset);
        let relocated = {
            let next = self.text.relocations.partition_point(|&at| at < offset);
            let at = self.text.relocations.get(next);
            at.is_some_and(|&at| u64::from(at) < instruction.next_ip())
        };
        let mut rules = roles::rules_of(&instruction);
        rules.extend(group_rule);
        rules.extend((role == Role::Label).then_some(Rule::R12));
        rules.extend(entered.then_some(Rule::R14));
        rules.extend(relocated.then_some(Rule::R15));
        rules.sort_unstable();
        rules.dedup();
        let symbol = self.text.symbols.locate(offset);
        ListedInstruction {
            offset,
            bytes: &self.text.bytes[position..end],
            text: format_gas(&instruction),
            repeated,
            label: symbol
                .filter(|&(_, distance)| distance == 0)
                .and_then(|_| self.text.symbols.describe(offset)),
            role,
            rules,
            target: self.target_of(&instruction),
            violations: self.violations_in(offset..offset.saturating_add(clamp(end - position))),
        }
    }

    /// The violations by instructions that start in a range.
    fn violations_in(&self, range: Range<u32>) -> Vec<&Violation> {
        let Some(rejection) = &self.rejection else {
            return Vec::new();
        };
        let of = |place: usize| &rejection.violations[place];
        let first = self
            .by_offset
            .partition_point(|&place| of(place).offset < range.start);
        let rest = self.by_offset[first..].iter().map(|&place| of(place));
        rest.take_while(|violation| violation.offset < range.end)
            .collect()
    }

    fn target_of(&self, instruction: &Instruction) -> Option<Target> {
        let relative = instruction.memory_base() == Register::RIP;
        let offset = if instruction.op0_kind() == OpKind::NearBranch64 {
            instruction.near_branch64()
        } else if relative {
            instruction.memory_displacement64()
        } else {
            return None;
        };
        let inside = u32::try_from(offset).ok();
        Some(Target {
            offset,
            import: inside.and_then(import_of),
            symbol: inside.and_then(|offset| self.text.symbols.describe(offset)),
        })
    }
}

/// The import whose gate is at an offset.
fn import_of(offset: u32) -> Option<u32> {
    let distance = offset.checked_sub(IMPORT_GATES_OFFSET)?;
    let import = distance / GATE_BYTES;
    (import < IMPORTS_MAX && distance % GATE_BYTES == 0).then_some(import)
}

fn decode(text: &Text<'_>, position: usize) -> Instruction {
    let ip = u64::from(text.offset) + position as u64;
    Decoder::with_ip(64, &text.bytes[position..], ip, DecoderOptions::NONE).decode()
}

/// A length in text, which has less than 4 GiB.
fn clamp(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
