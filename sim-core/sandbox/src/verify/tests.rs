//! The verifier's work is linear in the size of what it judges, however hostile.
//!
//! Each input is verified at one size and at eight times that size; what is compared is not time
//! but [`effort`](super::effort): steps of bounded time.

use super::effort::take_steps;
use super::groups::HISTORY_LEN;
use super::{Policy, Rejection, Rule, Text, VIOLATIONS_MAX, verify};
use crate::image::SymbolTable;

const OFFSET: u32 = vino_abi::IMAGE_OFFSET;
const SMALL_BYTES: usize = 64 << 10;
const GROWTH: usize = 8;
/// Bytes of text in the largest object that the default limits admit.
const LARGEST_BYTES: usize = 16 << 20;
/// Steps that verifying may take for each byte of text, relocation and entry point: a few, and
/// as many as instructions are kept of a run of fill, each of which counts those that follow.
const STEPS_PER_UNIT_MAX: u64 = 4 + HISTORY_LEN as u64;

/// Code and what linking says about it.
#[derive(Default)]
struct Hostile {
    bytes: Vec<u8>,
    relocations: Vec<u32>,
    entries: Vec<u32>,
}

impl Hostile {
    /// A pattern, repeated.
    fn repeated(pattern: &[u8], bytes: usize) -> Self {
        let bytes = pattern.iter().copied().cycle().take(bytes).collect();
        Self {
            bytes,
            ..Self::default()
        }
    }

    fn offsets(&self) -> impl DoubleEndedIterator<Item = u32> + use<> {
        let end = OFFSET + u32::try_from(self.bytes.len()).expect("text fits in a sandbox");
        OFFSET..end
    }

    fn verify(&self) -> (Option<Rejection>, u64) {
        let text = Text {
            bytes: &self.bytes,
            offset: OFFSET,
            image: OFFSET..vino_abi::IMAGE_END,
            imports: &[],
            entries: &self.entries,
            relocations: &self.relocations,
            symbols: &SymbolTable::default(),
        };
        take_steps();
        let rejection = verify(&text, &Policy::default()).err();
        (rejection, take_steps())
    }

    fn units(&self) -> u64 {
        (self.bytes.len() + self.relocations.len() + self.entries.len()) as u64
    }
}

/// Asserts that the work is bounded by the size, and grows no faster than it.
fn assert_linear(name: &str, make: impl Fn(usize) -> Hostile) {
    let mut last = None;
    for bytes in [SMALL_BYTES, SMALL_BYTES * GROWTH] {
        let hostile = make(bytes);
        let (rejection, steps) = hostile.verify();
        let units = hostile.units();
        assert!(
            steps <= STEPS_PER_UNIT_MAX * units,
            "{name}: {steps} steps for {units} bytes, relocations and entries"
        );
        let described = rejection.map_or(0, |rejection| rejection.violations.len());
        assert!(described <= VIOLATIONS_MAX, "{name}");
        if let Some(last) = last.replace(steps) {
            let most = last * GROWTH as u64 * 11 / 10;
            assert!(steps <= most, "{name}: {last} steps became {steps}");
        }
    }
}

#[test]
fn every_pattern_of_text_is_verified_in_linear_steps() {
    let patterns: [(&str, &[u8]); 9] = [
        ("fill", &[0xcc]),
        (
            "almost fill",
            &[0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0x90],
        ),
        ("invalid bytes", &[0x06]),
        ("zeros, each pair a store", &[0x00]),
        ("prefixes, too long for an instruction", &[0x66]),
        ("labels", &vino_abi::LABEL_TARGET),
        (
            "labels in constants",
            &[0x48, 0xb8, 0x0f, 0x1f, 0x84, 0x6e, 0, 0, 0, 0],
        ),
        ("branches to the inside of instructions", &[0xeb, 0xff]),
        ("stack pointers that are never re-based", &[0x89, 0xfc]),
    ];
    for (name, pattern) in patterns {
        assert_linear(name, |bytes| Hostile::repeated(pattern, bytes));
    }
}

#[test]
fn groups_that_almost_match_are_verified_in_linear_steps() {
    // Each return looks back at five instructions, of which the first is not the right one.
    let almost_return = [
        0x44, 0x8b, 0x5c, 0x24, 0x00, 0x65, 0x67, 0x49, 0x81, 0x3b, 0x0f, 0x1f, 0x84, 0x6d, 0x75,
        0x00, 0x65, 0x4c, 0x03, 0x1c, 0x25, 0x00, 0x00, 0x01, 0x00, 0x4c, 0x89, 0x1c, 0x24, 0xc3,
    ];
    assert_linear("returns", |bytes| Hostile::repeated(&almost_return, bytes));
}

/// Once, each relocation in a run of fill made the verifier count the rest of the run again.
#[test]
fn relocations_of_every_byte_are_verified_in_linear_steps() {
    for (name, pattern) in [("fill", 0xcc), ("no-ops", 0x90)] {
        assert_linear(name, |bytes| {
            let text = Hostile::repeated(&[pattern], bytes);
            let relocations = text.offsets().collect();
            Hostile {
                relocations,
                ..text
            }
        });
        assert_linear(name, |bytes| {
            let text = Hostile::repeated(&[pattern], bytes);
            // Far enough from the end to lie among the fill that is skipped.
            let relocations = text.offsets().rev().nth(2 * HISTORY_LEN);
            Hostile {
                relocations: relocations.into_iter().collect(),
                ..text
            }
        });
    }
}

#[test]
fn entry_points_at_every_byte_are_verified_in_linear_steps() {
    assert_linear("entries", |bytes| {
        let text = Hostile::repeated(&vino_abi::LABEL_TARGET, bytes);
        let entries = text.offsets().collect();
        Hostile { entries, ..text }
    });
}

#[test]
fn the_largest_text_is_verified_in_linear_steps() {
    let last = OFFSET + u32::try_from(LARGEST_BYTES).expect("it fits") - 1;
    let hostile = Hostile {
        relocations: vec![last],
        ..Hostile::repeated(&[0xcc], LARGEST_BYTES)
    };
    let (rejection, steps) = hostile.verify();
    assert_eq!(rejection.expect("a relocation of fill").total, 1);
    assert!(steps <= STEPS_PER_UNIT_MAX * hostile.units(), "{steps}");
}

/// The rules are stated once for readers of the documentation and once for readers of messages.
#[test]
fn the_rules_of_the_documentation_are_those_of_the_messages() {
    let text: String = include_str!("mod.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .map(|line| line.replace('`', ""))
        .collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for rule in Rule::ALL {
        let sentence = format!("* **{rule:?}**: {}.", rule.sentence());
        assert!(text.contains(&sentence), "{sentence}");
    }
}
