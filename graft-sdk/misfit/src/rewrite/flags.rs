//! Flags that must outlive a group which destroys them.
//!
//! `leave`, `movs` and writes to `%rsp` keep the flags, their groups do not, and gcc's scheduler
//! puts them between a comparison and its user now and then. The condition is then
//! kept in a register that is free that long: `setg %r11b` before the group, and
//! `testb %r11b, %r11b; jne` instead of `jg`.

use std::collections::{HashMap, HashSet};

use super::{Rewriter, stack, text};
use crate::diagnostic::Refusal;
use crate::isa::{self, Flags, Kind};
use crate::liveness;
use crate::register::{R11, RSP, RegisterSet, Width, name};

/// How many instructions after a group the user of its flags may stand.
const WINDOW: usize = 32;

/// Where conditions are kept and used.
#[derive(Debug, Default)]
pub(super) struct KeptConditions<'a> {
    /// Before which instruction a condition goes into which register.
    kept: HashMap<usize, (&'a str, u8)>,
    /// What tests a register instead of the flags: its operation and the register.
    tested: HashMap<usize, (&'static str, u8)>,
    /// The groups that may destroy the flags.
    covered: HashSet<usize>,
}

impl<'a> Rewriter<'_, 'a> {
    /// Finds the groups whose flags are needed later, and a way to keep each condition.
    pub(super) fn keep_conditions(&mut self) {
        let mut covered_until = 0;
        for at in 0..self.program.instructions.len() {
            if !self.clobbers_flags(at) || !self.liveness.flags_live_after(at) {
                continue;
            }
            if at < covered_until {
                self.conditions.covered.insert(at);
            } else if let Some((user, register)) = self.keepable(at)
                && let Some((operation, condition)) =
                    isa::split_condition(self.program.instructions[user].mnemonic)
            {
                self.conditions.kept.insert(at, (condition, register));
                self.conditions.tested.insert(user, (operation, register));
                self.conditions.covered.insert(at);
                covered_until = user;
            }
        }
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

    /// Finds the only user of the flags after `at`, and a register that is free until then.
    fn keepable(&self, at: usize) -> Option<(usize, u8)> {
        let instructions = &self.program.instructions;
        let end = instructions.len().min(at + WINDOW);
        let mut taken = RegisterSet::of(&[RSP]);
        for (after, instruction) in instructions.iter().enumerate().take(end).skip(at) {
            let effect = &instruction.effect;
            if effect.reads_flags() {
                let is_only =
                    !self.liveness.flags_live_after(after) && self.program.is_straight(at, after);
                let candidates = std::iter::once(R11).chain(0..16);
                let mut free = candidates.filter(|number| !taken.contains(*number));
                return is_only
                    .then(|| free.next())
                    .flatten()
                    .map(|register| (after, register));
            }
            if effect.flags != Flags::Keep {
                return None;
            }
            let (uses, _) = liveness::uses_and_definitions(instruction);
            taken = taken
                .union(uses)
                .union(effect.defines)
                .union(liveness::written(instruction))
                .union(self.liveness.after(after));
        }
        None
    }

    /// Writes what keeps a condition, if one has to be kept across this instruction.
    pub(super) fn keep_condition(&mut self, at: usize) {
        if let Some((condition, register)) = self.conditions.kept.get(&at).copied() {
            self.line(format_args!(
                "set{condition} %{}",
                name(register, Width::Byte)
            ));
        }
    }

    /// Writes the test of a kept condition and returns the jump that uses it.
    pub(super) fn test_condition(&mut self, at: usize, mnemonic: &'a str) -> &'a str {
        let Some((operation, register)) = self.conditions.tested.get(&at).copied() else {
            return mnemonic;
        };
        let register = name(register, Width::Byte);
        self.line(format_args!("testb %{register}, %{register}"));
        match operation {
            "cmov" => "cmovne",
            "set" => "setne",
            _ => "jne",
        }
    }

    /// Refuses a group that would destroy flags that are still needed.
    pub(super) fn require_dead_flags(&self, at: usize) -> Result<(), Refusal> {
        if self.liveness.flags_live_after(at) && !self.conditions.covered.contains(&at) {
            return Err(Refusal::new(
                "the flags must survive an instruction whose safe form changes them",
                "compile this function with another -O level",
            ));
        }
        Ok(())
    }
}
