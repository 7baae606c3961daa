//! Whether an instruction is encoded as an assembler would, and as all processors read it.
//!
//! An encoding passes if a decoder that follows AMD's manual reads it as one that follows Intel's,
//! and if the encoder makes the same bytes of what was read; only the order of its legacy prefixes,
//! which no processor looks at, may differ. That excludes ignored, repeated and contradicting
//! prefixes, ignored bits, and encodings that only one vendor knows.
//!
//! Encoding is ten times slower than decoding. Both decoders and the encoder copy displacements
//! and immediates without looking at them, so whether an encoding passes depends only on its other
//! bytes: its *shape*. Shapes that passed are remembered, in a table of fixed size.

use iced_x86::{Code, ConstantOffsets, Decoder, DecoderOptions, Encoder, Instruction};

/// The most bytes of an instruction.
const INSTRUCTION_BYTES_MAX: usize = 15;
/// Shapes that are remembered; a power of two. Code of 1 MiB has about a thousand.
const SHAPES_MAX: usize = 4096;
const OPERAND_SIZE: u8 = 0x66;

pub(super) struct Canonical {
    encoder: Encoder,
    encoded: Vec<u8>,
    shapes: Vec<u128>,
}

impl Canonical {
    pub(super) fn new() -> Self {
        Self {
            encoder: Encoder::new(64),
            encoded: Vec::with_capacity(INSTRUCTION_BYTES_MAX),
            shapes: vec![0; SHAPES_MAX],
        }
    }

    /// Whether `bytes`, which were decoded as `instruction`, are its canonical encoding.
    pub(super) fn check(
        &mut self,
        bytes: &[u8],
        instruction: &Instruction,
        constants: &ConstantOffsets,
    ) -> bool {
        let shape = shape_of(bytes, constants);
        let slot = slot_of(shape);
        if self.shapes[slot] == shape {
            return true;
        }
        if !self.round_trips(bytes, instruction) {
            return false;
        }
        self.shapes[slot] = shape;
        true
    }

    fn round_trips(&mut self, bytes: &[u8], instruction: &Instruction) -> bool {
        let ip = instruction.ip();
        let mut amd = Decoder::with_ip(64, bytes, ip, DecoderOptions::AMD);
        let read = amd.decode();
        if read != *instruction || read.len() != instruction.len() {
            return false;
        }
        self.encoded.clear();
        self.encoder.set_buffer(std::mem::take(&mut self.encoded));
        let outcome = self.encoder.encode(instruction, ip);
        self.encoded = self.encoder.take_buffer();
        outcome.is_ok() && same_encoding(&self.encoded, bytes, instruction.code())
    }
}

/// The bytes of an instruction without displacement and immediates, and its length.
fn shape_of(bytes: &[u8], constants: &ConstantOffsets) -> u128 {
    let mut padded = [0; 16];
    padded[..bytes.len()].copy_from_slice(bytes);
    // The disassembler calls the displacement of an address without a register 8 bytes wide.
    let displacement = constants.displacement_size().min(4);
    let fields = field(constants.displacement_offset(), displacement)
        | field(constants.immediate_offset(), constants.immediate_size())
        | field(constants.immediate_offset2(), constants.immediate_size2());
    // At most 15 bytes are taken, which leaves the last for the length.
    padded[15] = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    u128::from_le_bytes(padded) & !fields
}

/// The bits of a field within the bytes of an instruction.
fn field(offset: usize, bytes: usize) -> u128 {
    if bytes == 0 {
        0
    } else {
        ((1 << (8 * bytes)) - 1) << (8 * offset)
    }
}

fn slot_of(shape: u128) -> usize {
    let bytes = shape.to_le_bytes();
    let (low, high) = bytes.split_at(8);
    let half = |half: &[u8]| {
        half.iter()
            .rev()
            .fold(0, |value, &byte| value << 8 | u64::from(byte))
    };
    let mixed = (half(low) ^ half(high).rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // The top bits depend on all others.
    (mixed >> (64 - SHAPES_MAX.ilog2())) as usize & (SHAPES_MAX - 1)
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

    fn check(bytes: &[u8]) -> bool {
        let mut decoder = Decoder::with_ip(64, bytes, 0x10_0000, DecoderOptions::NONE);
        let instruction = decoder.decode();
        assert_eq!(
            instruction.len(),
            bytes.len(),
            "{bytes:02x?} is one instruction"
        );
        let constants = decoder.get_constant_offsets(&instruction);
        Canonical::new().check(bytes, &instruction, &constants)
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
            // A repeat prefix on what does not repeat.
            &[0xf3, 0x89, 0xc0],
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
            let constants = decoder.get_constant_offsets(&instruction);
            canonical.check(bytes, &instruction, &constants)
        };
        assert!(check(&[0x89, 0x40, 0x10]));
        assert!(check(&[0x89, 0x40, 0x7f]));
        assert!(!check(&[0x67, 0x89, 0xc0]));
        assert!(!check(&[0xf3, 0x89, 0x40, 0x10]));
    }
}
