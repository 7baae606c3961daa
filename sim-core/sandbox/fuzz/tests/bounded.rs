//! The targets on a fixed number of inputs, the same in every run; libFuzzer is for more.

use vino_sandbox_fuzz::{decode_object, demangle, objects, text, verify_bytes, verify_object};

/// A generator of numbers: Vigna's SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("below a usize")
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

/// Bytes among which prefixes, labels and the opcodes of groups are frequent.
const FREQUENT: [u8; 32] = [
    0x65, 0x67, 0x66, 0x48, 0x4c, 0xf2, 0xf3, 0xf0, 0x0f, 0x1f, 0x84, 0x6d, 0x6e, 0x00, 0x89, 0x8b,
    0x24, 0x25, 0xc3, 0xff, 0xe8, 0xe9, 0xeb, 0x75, 0xc4, 0xc5, 0x83, 0x81, 0xcc, 0x01, 0xa5, 0xc0,
];

fn code_byte(random: &mut Random) -> u8 {
    match random.below(2) {
        0 => random.byte(),
        _ => FREQUENT[random.below(FREQUENT.len())],
    }
}

#[test]
fn random_bytes_are_judged() {
    let mut random = Random(1);
    let mut accepted = 0;
    for _ in 0..20_000 {
        let len = random.below(40);
        let bytes: Vec<u8> = (0..len).map(|_| code_byte(&mut random)).collect();
        accepted += usize::from(verify_bytes(&bytes));
    }
    assert!(accepted > 500, "only {accepted} were accepted");
}

/// One byte at a time, in each of the ways of [`CHANGES`].
#[test]
fn every_changed_byte_of_accepted_code_is_judged() {
    let (mut accepted, mut judged) = (0, 0);
    for object in objects() {
        let mut code = text(object);
        // The cases are short; what a long one adds is repetition.
        code.truncate(CODE_BYTES_MAX);
        for at in 0..code.len() {
            let original = code[at];
            for value in CHANGES {
                code[at] = original ^ value;
                accepted += usize::from(verify_bytes(&code));
                judged += 1;
            }
            code[at] = original;
        }
    }
    println!("{accepted} of {judged} changes accepted");
    assert!(accepted * 50 > judged, "only {accepted} of {judged}");
}

/// Bytes of each case that are changed.
const CODE_BYTES_MAX: usize = 256;
/// How a byte is changed: each bit, and some pairs that make another opcode of it.
const CHANGES: [u8; 12] = [1, 2, 4, 8, 16, 32, 64, 128, 3, 0x24, 0x81, 0xff];

#[test]
fn changed_objects_are_judged() {
    let mut random = Random(2);
    let mut accepted = 0;
    for _ in 0..5_000 {
        let changes = 3 * random.below(4);
        let bytes: Vec<u8> = (0..=changes).map(|_| random.byte()).collect();
        accepted += usize::from(verify_object(&bytes));
    }
    assert!(accepted > 100, "only {accepted} were accepted");
}

#[test]
fn random_and_truncated_objects_are_decoded_or_refused() {
    let mut random = Random(3);
    for index in 0..5_000 {
        let object = &objects()[index % objects().len()];
        let kept = random.below(object.len());
        let mut bytes = object[..kept].to_vec();
        if index % 2 == 0 {
            bytes.truncate(64);
            bytes.extend((0..random.below(2_000)).map(|_| random.byte()));
        }
        assert!(
            !decode_object(&bytes),
            "an object whose section headers are gone"
        );
    }
}

#[test]
fn random_names_are_demangled() {
    let mut random = Random(4);
    let alphabet = b"_ZNKSt0123456789aAbBcCdDeEfFgGhHiIjJlLmMnNpPrRsSvVwxyzTEOX$.@";
    let mut demangled = 0;
    for _ in 0..50_000 {
        let len = random.below(48);
        let rest = (0..len).map(|_| alphabet[random.below(alphabet.len())]);
        let name: Vec<u8> = b"_ZN3abc3def".iter().copied().chain(rest).collect();
        demangled += usize::from(demangle(&name));
    }
    assert!(demangled > 0);
}
