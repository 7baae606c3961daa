//! The rules that only all of text together can keep or break: its end, its labels, its entry
//! points, and the targets of its branches.

use iced_x86::{Code, Decoder, DecoderOptions, Instruction, OpKind};
use vino_abi::{LABEL_RETURN, LABEL_TARGET};

use super::Scanner;
use crate::verify::effort::spend;
use crate::verify::rule::Rule;

/// Positions that are searched for labels together.
const LABEL_BLOCK_BYTES: usize = 64;

impl Scanner<'_> {
    /// Applies the rules for text as a whole, once all of it has been decoded.
    pub(super) fn check_whole(&mut self) {
        self.check_end();
        self.check_labels();
        self.check_entries();
        if self.targeted.leaves(&self.starts, &self.interiors) {
            self.report_targets();
        }
    }

    /// The last byte must be a whole instruction that stops.
    fn check_end(&mut self) {
        let last = self.history.back(1).copied().unwrap_or_default();
        if self.rebase_pending {
            self.report.add(&last, Rule::R6, false);
        }
        if self.text.bytes.is_empty() || last.code() != Code::Int3 {
            self.report.add(&last, Rule::R13, false);
        }
        if !self.relocations.is_empty() {
            self.report.add(&last, Rule::R15, false);
        }
    }

    fn check_labels(&mut self) {
        let bytes = self.text.bytes;
        for start in (0..bytes.len()).step_by(LABEL_BLOCK_BYTES) {
            let end = bytes
                .len()
                .min(start + LABEL_BLOCK_BYTES + size_of::<u64>() - 1);
            spend(1);
            if may_hold_label(&bytes[start..end]) {
                spend(end - start);
                for (position, window) in (start..).zip(bytes[start..end].windows(8)) {
                    if window == LABEL_RETURN || window == LABEL_TARGET {
                        self.check_label(position);
                    }
                }
            }
        }
    }

    fn check_label(&mut self, position: usize) {
        self.instrumented = true;
        if !self.is_outside_groups(position) {
            let holder = self.decode_at(self.start_before(position));
            self.report.add(&holder, Rule::R12, false);
        }
    }

    fn check_entries(&mut self) {
        spend(self.text.entries.len());
        for &entry in self.text.entries {
            let position = entry
                .checked_sub(self.text.offset)
                .map(|position| position as usize);
            let labelled = position.is_some_and(|position| {
                self.text
                    .bytes
                    .get(position..)
                    .is_some_and(|rest| rest.starts_with(&LABEL_TARGET))
                    && self.is_outside_groups(position)
            });
            if !labelled {
                let mut instruction = match position {
                    Some(position) if position < self.text.bytes.len() => self.decode_at(position),
                    _ => Instruction::default(),
                };
                instruction.set_ip(u64::from(entry));
                self.report.add(&instruction, Rule::R14, false);
            }
        }
    }

    fn is_outside_groups(&self, position: usize) -> bool {
        self.starts.contains(position) && !self.interiors.contains(position)
    }

    /// The start of the instruction that a position belongs to.
    fn start_before(&self, position: usize) -> usize {
        let mut before = (0..=position).rev();
        let start = before.find(|&start| self.starts.contains(start));
        let start = start.unwrap_or(0);
        spend(position - start);
        start
    }

    fn decode_at(&self, position: usize) -> Instruction {
        let ip = u64::from(self.text.offset) + position as u64;
        Decoder::with_ip(64, &self.text.bytes[position..], ip, DecoderOptions::NONE).decode()
    }

    /// Finds the branches with a bad target; only called if there is one.
    fn report_targets(&mut self) {
        for instruction in self.decoder() {
            spend(1);
            if instruction.op0_kind() != OpKind::NearBranch64 {
                continue;
            }
            let position = instruction
                .near_branch64()
                .wrapping_sub(u64::from(self.text.offset));
            let bad = usize::try_from(position).is_ok_and(|position| {
                position < self.text.bytes.len()
                    && self.targeted.contains(position)
                    && !self.is_outside_groups(position)
            });
            if bad {
                self.report.add(&instruction, Rule::R8, false);
            }
        }
    }
}

/// Whether the first two bytes of a label occur; written so that it is done for many at once.
fn may_hold_label(bytes: &[u8]) -> bool {
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    pairs.fold(false, |found, (&first, &second)| {
        found | ((first == LABEL_RETURN[0]) & (second == LABEL_RETURN[1]))
    })
}
