//! Whether an instruction is encoded as an assembler would, and as all processors read it.
//!
//! An encoding passes if a decoder that follows AMD's manual reads it as one that follows Intel's,
//! and if the encoder makes the same bytes of what was read; only the order of its legacy prefixes,
//! which no processor looks at, may differ. That excludes ignored, repeated and contradicting
//! prefixes, ignored bits, and encodings that only one vendor knows.
//!
//! Encoding is ten times slower than decoding. Both decoders and the encoder copy displacements
//! and immediates without looking at them, so whether an encoding passes depends only on its other
//! bytes: its *shape*. Shapes that passed are remembered, in a table of fixed size, and with them
//! whether anything but the shape matters to the other rules.

use iced_x86::{Code, Decoder, DecoderOptions, Encoder, Instruction, Register};

use super::allow::{Constants, Spec};

/// The most bytes of an instruction.
const INSTRUCTION_BYTES_MAX: usize = 15;
/// Shapes that are remembered; a power of two. Code of 1 MiB has about a thousand.
const SHAPES_MAX: usize = 2048;
/// Bytes that are looked at to judge one instruction.
pub(super) const WINDOW_BYTES: usize = 16;
const OPERAND_SIZE: u8 = 0x66;

/// The bytes of an instruction and some that follow it.
pub(super) type Window = [u8; WINDOW_BYTES];

/// What is known about every instruction of a shape that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Its encoding is canonical; displacement, immediates or its neighbours decide the rest.
    Encoding,
    /// It keeps every rule and has no effect on those that follow.
    Harmless,
    /// It keeps every rule and certainly accesses the stack near `%rsp`.
    StackProbe,
}

#[derive(Clone, Copy)]
struct Slot {
    shape: Shape,
    known: Known,
}

pub(super) struct Canonical {
    encoder: Encoder,
    encoded: Vec<u8>,
    slots: Vec<Slot>,
    /// The slot of the shape that was looked up last.
    last: usize,
}

impl Canonical {
    pub(super) fn new() -> Self {
        Self {
            encoder: Encoder::new(64),
            encoded: Vec::with_capacity(INSTRUCTION_BYTES_MAX),
            // No shape is zero, as its last byte is the length of an instruction.
            slots: vec![
                Slot {
                    shape: [0; 2],
                    known: Known::Encoding
                };
                SHAPES_MAX
            ],
            last: 0,
        }
    }

    /// What is known about the instruction at the start of `window`; `None` if its encoding is not
    /// canonical.
    pub(super) fn check(
        &mut self,
        window: &Window,
        instruction: &Instruction,
        spec: &Spec,
    ) -> Option<Known> {
        let len = instruction.len().min(INSTRUCTION_BYTES_MAX);
        let shape = shape_of(window, len, instruction, spec);
        self.last = slot_of(shape);
        if self.slots[self.last].shape != shape {
            if !self.round_trips(&window[..len], instruction) {
                return None;
            }
            self.slots[self.last] = Slot {
                shape,
                known: Known::Encoding,
            };
        }
        Some(self.slots[self.last].known)
    }

    /// Remembers more about the shape of the instruction that was checked last.
    pub(super) fn learn(&mut self, known: Known) {
        self.slots[self.last].known = known;
    }

    fn round_trips(&mut self, bytes: &[u8], instruction: &Instruction) -> bool {
        let ip = instruction.ip();
        let mut amd = Decoder::with_ip(64, bytes, ip, DecoderOptions::AMD);
        let read = amd.decode();
        if read != *instruction || read.len() != instruction.len() {
            return false;
        }
        // The encoder repeats a scale that scales nothing.
        if instruction.memory_index() == Register::None && instruction.memory_index_scale() != 1 {
            return false;
        }
        self.encoded.clear();
        self.encoder.set_buffer(std::mem::take(&mut self.encoded));
        let outcome = self.encoder.encode(instruction, ip);
        self.encoded = self.encoder.take_buffer();
        outcome.is_ok() && same_encoding(&self.encoded, bytes, instruction.code())
    }
}

/// Two words that tell shapes apart: the bytes of an instruction before its displacement and
/// immediates, and its length in the last byte, which no instruction reaches.
type Shape = [u64; 2];

fn shape_of(window: &Window, len: usize, instruction: &Instruction, spec: &Spec) -> Shape {
    let constant_bytes = match spec.constants {
        Constants::Last { immediate_bytes } => displacement_bytes(instruction) + immediate_bytes,
        Constants::NotLast => 0,
    };
    let kept = FIRST_BYTES[len.saturating_sub(constant_bytes)];
    let (low, high) = window.split_at(size_of::<u64>());
    let [low, high] = [low, high].map(|half| half.try_into().map_or(0, u64::from_le_bytes));
    [
        low & kept[0],
        high & kept[1] | (len as u64) << (u64::BITS - u8::BITS),
    ]
}

/// Bytes of the displacement of an instruction on the list.
pub(super) fn displacement_bytes(instruction: &Instruction) -> usize {
    // The disassembler calls the displacement of an address without a register 8 bytes wide.
    (instruction.memory_displ_size() as usize).min(size_of::<u32>())
}

/// The bits of the first bytes of a window, by how many.
static FIRST_BYTES: [Shape; WINDOW_BYTES] = first_bytes();

const fn first_bytes() -> [Shape; WINDOW_BYTES] {
    let mut masks = [[0; 2]; WINDOW_BYTES];
    let mut bytes = 1;
    while bytes < WINDOW_BYTES {
        masks[bytes] = masks[bytes - 1];
        let byte = bytes - 1;
        masks[bytes][byte / size_of::<u64>()] |= 0xff << (8 * (byte % size_of::<u64>()));
        bytes += 1;
    }
    masks
}

fn slot_of([low, high]: Shape) -> usize {
    let mixed = (low ^ high.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // The top bits depend on all others.
    let slot = usize::try_from(mixed >> (u64::BITS - SHAPES_MAX.ilog2()));
    slot.unwrap_or(0) & (SHAPES_MAX - 1)
}

/// Whether two encodings differ in nothing but the order of their legacy prefixes.
fn same_encoding(encoded: &[u8], bytes: &[u8], code: Code) -> bool {
    let (ours, ours_rest) = split_prefixes(encoded);
    let (mut theirs, theirs_rest) = split_prefixes(bytes);
    if ours_rest != theirs_rest {
        return false;
    }
    if code == Code::Nop_rm16 {
        // Assemblers lengthen the padding no-op by repeating its operand-size prefix.
        let repeated = theirs
            .iter()
            .filter(|&&prefix| prefix == OPERAND_SIZE)
            .count();
        theirs = &theirs[theirs.len().min(repeated.saturating_sub(1))..];
    }
    let count = |prefixes: &[u8], prefix| prefixes.iter().filter(|&&byte| byte == prefix).count();
    ours.len() == theirs.len()
        && ours
            .iter()
            .all(|&prefix| count(ours, prefix) == 1 && count(theirs, prefix) == 1)
}

fn split_prefixes(bytes: &[u8]) -> (&[u8], &[u8]) {
    let is_prefix = |byte: &u8| {
        matches!(
            byte,
            0x26 | 0x2e | 0x36 | 0x3e | 0x64..=0x67 | 0xf0 | 0xf2 | 0xf3
        )
    };
    bytes.split_at(bytes.iter().take_while(|byte| is_prefix(byte)).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::allow::Table;

    fn spec(instruction: &Instruction) -> &'static Spec {
        Table::get()
            .lookup(instruction.code())
            .expect("it is on the list")
    }

    fn window(bytes: &[u8]) -> Window {
        let mut window = [0xcc; WINDOW_BYTES];
        window[..bytes.len()].copy_from_slice(bytes);
        window
    }

    fn check(bytes: &[u8]) -> bool {
        let mut decoder = Decoder::with_ip(64, bytes, 0x10_0000, DecoderOptions::NONE);
        let instruction = decoder.decode();
        assert_eq!(
            instruction.len(),
            bytes.len(),
            "{bytes:02x?} is one instruction"
        );
        Canonical::new()
            .check(&window(bytes), &instruction, spec(&instruction))
            .is_some()
    }

    #[test]
    fn what_assemblers_write_is_canonical() {
        let accepted: [&[u8]; 12] = [
            &[0x65, 0x67, 0x66, 0x89, 0x00],
            &[0x66, 0x65, 0x67, 0x89, 0x00],
            &[0xf0, 0x65, 0x67, 0x48, 0x0f, 0xc1, 0x08],
            &[0x0f, 0x1f, 0x84, 0x6d, 0, 0, 0, 0],
            &[0x0f, 0x1f, 0x40, 0x00],
            &[0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0, 0, 0, 0],
            &[0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0, 0, 0, 0],
            &[
                0x66, 0x66, 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0, 0, 0, 0,
            ],
            &[0xe9, 0, 0, 0, 0],
            &[0xf3, 0x48, 0xa5],
            &[0xc5, 0xf8, 0x77],
            &[0x48, 0x8b, 0x05, 1, 0, 0, 0],
        ];
        for bytes in accepted {
            assert!(check(bytes), "{bytes:02x?}");
        }
    }

    #[test]
    fn what_processors_ignore_or_read_differently_is_not() {
        let refused: [&[u8]; 12] = [
            // An address-size prefix without an address.
            &[0x67, 0x48, 0x89, 0xc0],
            // Repeated prefixes.
            &[0x66, 0x66, 0x89, 0xc0],
            &[0x65, 0x65, 0x67, 0x89, 0x00],
            // A second segment, of which the last counts.
            &[0x2e, 0x65, 0x67, 0x89, 0x00],
            // Ignored REX bits, an ignored REX, and one that is not last.
            &[0x48, 0x50],
            &[0x40, 0x90],
            &[0x48, 0x66, 0x89, 0xc0],
            // A branch hint after the operand-size prefix.
            &[0x66, 0x2e, 0x74, 0x00],
            // The operand-size prefix on a near branch, which only Intel ignores.
            &[0x66, 0xc3],
            &[0x66, 0xff, 0xe0],
            // Ignored VEX.L of a scalar operation.
            &[0xc5, 0xfe, 0x58, 0xc0],
            // Three-byte VEX where two bytes do.
            &[0xc4, 0xe1, 0x78, 0x77],
        ];
        for bytes in refused {
            assert!(!check(bytes), "{bytes:02x?}");
        }
    }

    #[test]
    fn a_remembered_shape_does_not_vouch_for_another() {
        let mut canonical = Canonical::new();
        let mut check = |bytes: &[u8]| {
            let mut decoder = Decoder::with_ip(64, bytes, 0x10_0000, DecoderOptions::NONE);
            let instruction = decoder.decode();
            canonical
                .check(&window(bytes), &instruction, spec(&instruction))
                .is_some()
        };
        assert!(check(&[0x89, 0x40, 0x10]));
        assert!(check(&[0x89, 0x40, 0x7f]));
        assert!(!check(&[0x67, 0x89, 0xc0]));
        assert!(!check(&[0x48, 0x67, 0x89, 0x40, 0x10]));
    }
}
