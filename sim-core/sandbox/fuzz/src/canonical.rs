//! Accepted code re-encodes to itself, and AMD's processors read it as Intel's do.

use iced_x86::{Decoder, DecoderOptions, Encoder};

/// Checks each instruction of accepted text.
///
/// Only the order of legacy prefixes, and the length of a padding no-op, may differ.
///
/// # Panics
///
/// One is encoded otherwise, or read otherwise by the other vendor's rules.
pub fn assert_canonical(bytes: &[u8], offset: u32) {
    let mut decoder = Decoder::with_ip(64, bytes, offset.into(), DecoderOptions::NONE);
    let mut encoder = Encoder::new(64);
    while decoder.can_decode() {
        let start = decoder.position();
        let instruction = decoder.decode();
        let original = &bytes[start..decoder.position()];
        let ip = instruction.ip();
        let other = Decoder::with_ip(64, &bytes[start..], ip, DecoderOptions::AMD).decode();
        assert_eq!(other.len(), instruction.len(), "vendors differ at {ip:#x}");
        assert_eq!(other, instruction, "vendors differ at {ip:#x}");
        let outcome = encoder.encode(&instruction, ip);
        assert!(
            outcome.is_ok(),
            "{original:02x?} at {ip:#x} has no encoding"
        );
        let mut encoded = encoder.take_buffer();
        let mut original = original.to_vec();
        while original.len() > encoded.len() && original.starts_with(&[0x66, 0x66]) {
            original.remove(0);
        }
        original.sort_unstable();
        encoded.sort_unstable();
        assert_eq!(encoded, original, "at {ip:#x}");
        let scaled = instruction.memory_index_scale() != 1;
        let unused = instruction.memory_index() == iced_x86::Register::None;
        assert!(!(scaled && unused), "a scale without an index at {ip:#x}");
    }
}
