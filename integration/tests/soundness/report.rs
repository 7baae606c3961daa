//! What was seen, counted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::child::Origin;

/// The most instructions that a report lists by name.
const NAMES_MAX: usize = 40;

/// Counts of one or more watched processes.
#[derive(Debug, Default)]
pub(crate) struct Statistics {
    /// Objects that were made.
    pub(crate) made: u64,
    /// Of those, images that the verifier accepted, which were all run.
    pub(crate) images: u64,
    pub(crate) calls: u64,
    /// Instructions that were stepped over in sandboxes, gates included.
    pub(crate) steps: u64,
    /// Memory operands, explicit and implicit, that were judged.
    pub(crate) accesses: u64,
    /// Stays that ended in the exit gate.
    pub(crate) returns: u64,
    /// Stays that ended in an import.
    pub(crate) host_calls: u64,
    pub(crate) faults: u64,
    /// Stays that took too long.
    pub(crate) cut_short: u64,
    pub(crate) origins: BTreeMap<Origin, u64>,
    /// Opcodes, by the disassembler's number.
    pub(crate) executed: BTreeSet<usize>,
}

impl Statistics {
    pub(crate) fn add(&mut self, other: Self) {
        self.made += other.made;
        self.images += other.images;
        self.calls += other.calls;
        self.steps += other.steps;
        self.accesses += other.accesses;
        self.returns += other.returns;
        self.host_calls += other.host_calls;
        self.faults += other.faults;
        self.cut_short += other.cut_short;
        for (origin, count) in other.origins {
            *self.origins.entry(origin).or_default() += count;
        }
        self.executed.extend(other.executed);
    }

    /// Of some opcodes, the names of those that never ran.
    pub(crate) fn missing(&self, codes: &BTreeSet<iced_x86::Code>) -> Vec<String> {
        codes
            .iter()
            .filter(|code| !self.executed.contains(&(**code as usize)))
            .map(|code| format!("{code:?}"))
            .take(NAMES_MAX)
            .collect()
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} objects made, {} accepted and run",
            self.made, self.images
        )?;
        writeln!(
            f,
            "{} calls, by origin of the image: {:?}",
            self.calls, self.origins
        )?;
        writeln!(
            f,
            "{} instructions stepped, {} accesses judged",
            self.steps, self.accesses
        )?;
        writeln!(
            f,
            "ends: {} returns, {} host calls, {} faults, {} cut short",
            self.returns, self.host_calls, self.faults, self.cut_short
        )?;
        write!(f, "{} opcodes executed", self.executed.len())
    }
}
