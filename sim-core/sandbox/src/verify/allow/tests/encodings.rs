//! Tries every encoding near those of the list, and holds what is accepted against the encoder and
//! the decoders of both vendors.
//!
//! The verifier remembers shapes that passed and asks the encoder about each only once. Here every
//! instruction that it accepts is asked about, in texts that hold thousands of one another's
//! neighbours, so a shape that vouched for an encoding unlike its own would show.

use iced_x86::{
    Code, Decoder, DecoderOptions, Encoder, Instruction, MemoryOperand, OpKind, Register,
};

use super::{Class, FILL, OFFSET, entries, instructions};
use crate::image::SymbolTable;
use crate::verify::scan::Scanner;
use crate::verify::{Policy, Text};

/// Every legacy prefix.
const LEGACY: [u8; 11] = [
    0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3,
];
const REX: std::ops::Range<u8> = 0x40..0x50;
const VEX_2: u8 = 0xc5;
const VEX_3: u8 = 0xc4;
/// Bytes of an instruction of which every value is tried; of the others every bit is flipped.
const OPCODE_BYTES: usize = 4;
/// Text that is verified at once.
const TEXT_BYTES: usize = 1 << 18;
/// Accepted encodings that the test must have seen to mean anything.
const ACCEPTED_MIN: u64 = 200_000;

/// The groups, instruction by instruction, each with room for a failing `jne` in the fill after it.
const GROUPS: [&[&[u8]]; 7] = [
    &[
        &[0x44, 0x8b, 0x1c, 0x24],
        &[0x65, 0x67, 0x49, 0x81, 0x3b, 0x0f, 0x1f, 0x84, 0x6d],
        &[0x75, 0x14],
        &[0x65, 0x4c, 0x03, 0x1c, 0x25, 0, 0, 1, 0],
        &[0x4c, 0x89, 0x1c, 0x24],
        &[0xc3],
    ],
    &[
        &[0x89, 0xc0],
        &[0x65, 0x67, 0x48, 0x81, 0x38, 0x0f, 0x1f, 0x84, 0x6e],
        &[0x75, 0x14],
        &[0x65, 0x48, 0x03, 0x04, 0x25, 0, 0, 1, 0],
        &[0xff, 0xd0],
    ],
    &[
        &[0x45, 0x89, 0xc0],
        &[0x65, 0x67, 0x49, 0x81, 0x38, 0x0f, 0x1f, 0x84, 0x6e],
        &[0x75, 0x14],
        &[0x65, 0x4c, 0x03, 0x04, 0x25, 0, 0, 1, 0],
        &[0x41, 0xff, 0xe0],
    ],
    &[&[0x89, 0xfc], &[0x65, 0x48, 0x03, 0x24, 0x25, 0, 0, 1, 0]],
    &[
        &[0x89, 0xf6],
        &[0x65, 0x48, 0x03, 0x34, 0x25, 0, 0, 1, 0],
        &[0x89, 0xff],
        &[0x65, 0x48, 0x03, 0x3c, 0x25, 0, 0, 1, 0],
        &[0xf3, 0x48, 0xa5],
    ],
    &[
        &[0x89, 0xf6],
        &[0x65, 0x48, 0x03, 0x34, 0x25, 0, 0, 1, 0],
        &[0x89, 0xff],
        &[0x65, 0x48, 0x03, 0x3c, 0x25, 0, 0, 1, 0],
        &[0x66, 0xa5],
    ],
    &[
        &[0x89, 0xff],
        &[0x65, 0x48, 0x03, 0x3c, 0x25, 0, 0, 1, 0],
        &[0xf3, 0xaa],
    ],
];

/// Candidates that wait to be verified together, and what came of those before.
#[derive(Default)]
struct Candidates {
    bytes: Vec<u8>,
    tried: u64,
    accepted: u64,
}

impl Candidates {
    /// Adds bytes between others; the fill behind them brings any decoder back in step.
    fn add(&mut self, before: &[u8], candidate: &[u8], after: &[u8]) {
        self.tried += 1;
        for part in [before, candidate, after, &FILL] {
            self.bytes.extend_from_slice(part);
        }
        if self.bytes.len() >= TEXT_BYTES {
            self.judge();
        }
    }

    /// Verifies what was added; what is accepted must be canonical, and read alike by all.
    fn judge(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let text = Text {
            bytes: &bytes,
            offset: OFFSET,
            image: OFFSET..vino_abi::IMAGE_END,
            imports: &[],
            entries: &[],
            relocations: &[],
            symbols: &SymbolTable::default(),
        };
        let scanned = Scanner::new(&text, &Policy::default(), usize::MAX).run();
        let rejection = scanned.rejection;
        let violations = rejection.map_or(Vec::new(), |rejection| rejection.violations);
        // None of the text is an entry, so violations are in order of offset.
        let is_refused = |at: u32| violations.binary_search_by_key(&at, |v| v.offset).is_ok();
        let ip = u64::from(OFFSET);
        let mut encoder = Encoder::new(64);
        for instruction in Decoder::with_ip(64, &bytes, ip, DecoderOptions::NONE) {
            if instruction.code() == Code::Int3 || is_refused(instruction.ip32()) {
                continue;
            }
            self.accepted += 1;
            let start = (instruction.ip32() - OFFSET) as usize;
            assert_canonical(&instruction, &bytes[start..], &mut encoder);
        }
    }

    /// Adds everything near an encoding.
    fn add_neighbours(&mut self, before: &[u8], bytes: &[u8], after: &[u8]) {
        self.add(before, bytes, after);
        for at in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            if at < OPCODE_BYTES {
                for value in 0..=u8::MAX {
                    changed[at] = value;
                    self.add(before, &changed, after);
                }
            } else {
                for bit in 0..u8::BITS {
                    changed[at] = bytes[at] ^ (1 << bit);
                    self.add(before, &changed, after);
                }
            }
        }
        let legacy = bytes.iter().take_while(|byte| LEGACY.contains(byte));
        let (own, rest) = bytes.split_at(legacy.count());
        let bare = match rest {
            [first, bare @ ..] if REX.contains(first) => bare,
            bare => bare,
        };
        // No REX may precede VEX, so one that does nothing and one that does all it can will do.
        let all: Vec<u8> = match bare {
            [VEX_2 | VEX_3, ..] => vec![REX.start, REX.end - 1],
            _ => REX.collect(),
        };
        for prefixes in sets_of_two().map(|set| [set.as_slice(), own].concat()) {
            self.add(before, &[&prefixes, rest].concat(), after);
            for &rex in &all {
                self.add(before, &[&prefixes, &[rex][..], bare].concat(), after);
            }
        }
        for &rex in &all {
            self.add(before, &[&[rex][..], bytes].concat(), after);
        }
    }
}

/// No legacy prefix, each, and every two in every order.
fn sets_of_two() -> impl Iterator<Item = Vec<u8>> {
    let none = std::iter::once(Vec::new());
    let one = LEGACY.iter().map(|&prefix| vec![prefix]);
    let two = LEGACY.iter().flat_map(|&first| {
        let second = LEGACY.iter();
        second.map(move |&second| vec![first, second])
    });
    none.chain(one).chain(two)
}

/// Written without a look at `canonical`: prefixes are compared as sorted lists.
fn assert_canonical(instruction: &Instruction, bytes: &[u8], encoder: &mut Encoder) {
    let length = instruction.len();
    let own = &bytes[..length];
    let amd = Decoder::with_ip(64, bytes, instruction.ip(), DecoderOptions::AMD).decode();
    assert_eq!(&amd, instruction, "{own:02x?} on AMD");
    assert_eq!(amd.len(), length, "{own:02x?} on AMD");
    let encoded = encoder.encode(instruction, instruction.ip());
    assert!(encoded.is_ok(), "{own:02x?}: {encoded:?}");
    let again = encoder.take_buffer();
    // The encoder repeats such a scale.
    let scales = instruction.memory_index() != Register::None;
    assert!(
        scales || instruction.memory_index_scale() == 1,
        "{own:02x?}"
    );
    let (mut ours, ours_rest) = sorted_prefixes(&again);
    let (mut theirs, theirs_rest) = sorted_prefixes(own);
    if instruction.code() == Code::Nop_rm16 {
        // Padding is lengthened with operand-size prefixes, which change nothing the second time.
        ours.dedup();
        theirs.dedup();
    }
    assert_eq!(ours, theirs, "{own:02x?}: {instruction:?}");
    assert_eq!(ours_rest, theirs_rest, "{own:02x?}: {instruction:?}");
}

fn sorted_prefixes(bytes: &[u8]) -> (Vec<u8>, &[u8]) {
    let count = bytes.iter().take_while(|byte| LEGACY.contains(byte));
    let (prefixes, rest) = bytes.split_at(count.count());
    let mut prefixes = prefixes.to_vec();
    prefixes.sort_unstable();
    (prefixes, rest)
}

fn encode(instruction: &Instruction) -> Option<Vec<u8>> {
    let mut encoder = Encoder::new(64);
    let encoded = encoder.encode(instruction, u64::from(OFFSET));
    encoded.is_ok().then(|| encoder.take_buffer())
}

/// The same instruction with its memory operand in every form that a rule allows.
fn with_other_operands(instruction: &Instruction) -> Vec<Instruction> {
    let operand =
        (0..instruction.op_count()).find(|&operand| instruction.op_kind(operand) == OpKind::Memory);
    if operand.is_none() {
        return vec![*instruction];
    }
    let segment = instruction.segment_prefix();
    let wide = segment == Register::None;
    // The width of a displacement that is not a byte is that of the address.
    let (base, index, address_bytes) = match wide {
        true => (Register::R13, Register::R10, 8),
        false => (Register::R13D, Register::R10D, 4),
    };
    let shape = |base, index, scale, displacement, bytes| {
        let segment = match base {
            Register::RSP | Register::RIP => Register::None,
            _ => segment,
        };
        let memory = MemoryOperand::new(base, index, scale, displacement, bytes, false, segment);
        let mut other = *instruction;
        other.set_segment_prefix(segment);
        other.set_memory_base(memory.base);
        other.set_memory_index(memory.index);
        other.set_memory_index_scale(memory.scale);
        other.set_memory_displ_size(memory.displ_size);
        other.set_memory_displacement64(memory.displacement.cast_unsigned());
        other
    };
    vec![
        *instruction,
        shape(base, index, 4, 0x1234, address_bytes),
        shape(Register::RSP, Register::None, 1, 16, 1),
        shape(Register::RIP, Register::None, 1, i64::from(OFFSET) + 64, 8),
    ]
}

#[test]
fn whatever_is_accepted_is_canonical_and_read_alike_by_all() {
    let mut candidates = Candidates::default();
    for (instruction, _) in instructions() {
        for form in with_other_operands(&instruction) {
            let bytes = encode(&form).unwrap_or_else(|| panic!("{form:?} has no encoding"));
            candidates.add_neighbours(&[], &bytes, &[]);
        }
    }
    let direct = |class| matches!(class, Class::Call | Class::Jump | Class::Branch);
    for (code, _) in entries().filter(|(_, spec)| direct(spec.class)) {
        let branch = |target| Instruction::with_branch(code, target).ok();
        let itself = branch(u64::from(OFFSET)).and_then(|itself| encode(&itself));
        let end = u64::from(OFFSET) + itself.expect("a branch").len() as u64;
        let bytes = branch(end).and_then(|onwards| encode(&onwards));
        candidates.add_neighbours(&[], &bytes.expect("a branch"), &[]);
    }
    for group in GROUPS {
        for at in 0..group.len() {
            let [before, after] = [&group[..at], &group[at + 1..]].map(<[&[u8]]>::concat);
            candidates.add_neighbours(&before, group[at], &after);
        }
    }
    candidates.judge();
    let Candidates {
        tried, accepted, ..
    } = candidates;
    println!("{tried} encodings tried, {accepted} instructions accepted");
    assert!(accepted > ACCEPTED_MIN, "only {accepted} of {tried}");
}
