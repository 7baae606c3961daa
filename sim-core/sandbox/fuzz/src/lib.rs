//! What must hold of the verifier, the object decoder and the demangler on bytes nobody meant.
//!
//! Each function here takes any bytes and panics if a property does not hold. `targets/` runs them
//! under libFuzzer, which looks for bytes that reach new code; `tests/bounded.rs` runs the same
//! functions on a fixed number of random inputs. The README says how.
//!
//! * [`verify_bytes`]: the verifier judges any text, and what it accepts re-encodes to itself.
//! * [`verify_object`]: a changed object is refused, or linked and judged, as above.
//! * [`decode_object`]: any bytes are decoded or refused.
//! * [`demangle`]: any name is demangled or not, to a bounded length.

mod canonical;
mod seeds;

pub use canonical::assert_canonical;
pub use seeds::{assemble, objects, text};

use vino_abi::IMAGE_OFFSET;
use vino_sandbox::{DecodedImage, Limits, LinkedImage, Policy, SegmentKind, SymbolTable, Text};

/// Bytes of text that one input may have; longer ones only take longer.
const TEXT_BYTES_MAX: usize = 4096;
/// What text ends with: traps.
const FILL: [u8; 16] = [0xcc; 16];
/// Where sandboxes of these tests would be; no verdict depends on it.
const BASE: u64 = 7 << 32;
/// The most characters that a demangled name may have for each byte of the name.
const DEMANGLED_FACTOR: usize = 64;
const POLICIES: [Policy; 2] = [
    Policy {
        read_protection: true,
    },
    Policy {
        read_protection: false,
    },
];

/// Judges bytes as text; says whether they were accepted with all protections.
///
/// # Panics
///
/// What was accepted does not re-encode to itself, or the verdict depends on what it must not.
pub fn verify_bytes(data: &[u8]) -> bool {
    let code = &data[..data.len().min(TEXT_BYTES_MAX)];
    let bytes = [code, &FILL].concat();
    let end = IMAGE_OFFSET + u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let symbols = SymbolTable::default();
    let text = Text {
        bytes: &bytes,
        offset: IMAGE_OFFSET,
        image: IMAGE_OFFSET..end,
        imports: &[1],
        entries: &[],
        relocations: &[],
        symbols: &symbols,
    };
    judge(&text)
}

/// Judges a text with both policies; says whether it was accepted with all protections.
fn judge(text: &Text<'_>) -> bool {
    let [strict, free] = POLICIES.map(|policy| vino_sandbox::verify(text, &policy));
    if let Ok(proof) = &strict {
        assert!(free.is_ok(), "protected reads are harder to have");
        assert_eq!(proof.bytes_len(), text.bytes.len());
    }
    if free.is_ok() {
        assert_canonical(text.bytes, text.offset);
    }
    // The work of a second look is the same, and so is its outcome.
    assert_eq!(
        strict.is_ok(),
        vino_sandbox::verify(text, &POLICIES[0]).is_ok()
    );
    strict.is_ok()
}

/// Changes an object as the bytes say, and takes it as far as it goes.
///
/// The first byte chooses the object; each three that follow are a place and its new byte.
///
/// # Panics
///
/// As [`verify_bytes`].
pub fn verify_object(data: &[u8]) -> bool {
    let objects = objects();
    let Some((&choice, changes)) = data.split_first() else {
        return false;
    };
    let mut object = objects[usize::from(choice) % objects.len()].clone();
    for change in changes.chunks_exact(3) {
        let place = usize::from(u16::from_le_bytes([change[0], change[1]]));
        let len = object.len();
        object[place % len] = change[2];
    }
    decode_object(&object)
}

/// Takes bytes for an object as far as they go: decoded, linked, placed, judged.
///
/// # Panics
///
/// As [`verify_bytes`].
pub fn decode_object(data: &[u8]) -> bool {
    let limits = Limits {
        image_bytes_max: 1 << 20,
        ..Limits::default()
    };
    let Ok(decoded) = DecodedImage::decode(data, &limits) else {
        return false;
    };
    match decoded.link(&mut |name| name.starts_with('i').then_some(0)) {
        Ok(image) => judge_image(&image),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

fn judge_image(image: &LinkedImage) -> bool {
    let mut accepted = false;
    for (index, segment) in image.segments().iter().enumerate() {
        let mut bytes = vec![0; segment.bytes_len as usize];
        image.place(BASE, index, &mut bytes);
        if segment.kind == SegmentKind::Text {
            let text = Text::of(image, &bytes).expect("this is its text");
            accepted = judge(&text);
        }
    }
    accepted
}

/// Demangles bytes as a name, if they are text.
///
/// # Panics
///
/// The demangled name is out of proportion, or holds control characters that the name did not.
pub fn demangle(data: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(data) else {
        return false;
    };
    let Some(demangled) = vino_sandbox::demangle(name) else {
        return false;
    };
    assert!(demangled.len() <= DEMANGLED_FACTOR * name.len());
    let clean = |text: &str| !text.contains(char::is_control);
    assert!(!clean(name) || clean(&demangled));
    true
}
