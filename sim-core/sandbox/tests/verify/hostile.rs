//! Objects that are made to cost the host time or memory, or to speak through its messages.
//!
//! That verifying itself is linear is shown in `src/verify/tests.rs`, where steps are counted.

use std::time::{Duration, Instant};

use vino_sandbox::{DecodedImage, Limits, Policy, Text, verify};

use crate::filetest::{assemble, link, place_text};

/// Longer than any object of these tests may take, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);
/// More than a message has to say, in bytes.
const MESSAGE_BYTES_MAX: usize = 16 << 10;

/// What the verifier says of an object whose code breaks rules.
fn rejection(source: &str) -> String {
    let image = link(&assemble(source), "");
    let bytes = place_text(&image);
    let text = Text::of(&image, &bytes).expect("there is code");
    let rejection = verify(&text, &Policy::default()).expect_err("it breaks rules");
    rejection.to_string()
}

/// A demangler that parses expressions by trial needs years for the first of these.
#[test]
fn a_name_that_is_hard_to_demangle_costs_nothing() {
    let start = Instant::now();
    for repeated in ["nw", "DTL", "IC1", "StI", "clnw"] {
        for prefix in ["_Z1fIX", "_ZN", "_Z1f"] {
            let name = format!("{prefix}{}", repeated.repeat(60));
            let message = rejection(&format!("{name}: ret\n"));
            assert!(message.contains("R10"), "{message}");
        }
    }
    assert!(start.elapsed() < PATIENCE);
}

#[test]
fn a_message_stays_short_whatever_the_names() {
    let name = "a".repeat(4000);
    let mut source = String::new();
    for index in 0..64 {
        source.push_str(&format!("{name}{index}: ret\n"));
    }
    let message = rejection(&source);
    assert!(message.len() < MESSAGE_BYTES_MAX, "{} bytes", message.len());

    let calls: String = (0..500).map(|n| format!("call {name}{n}\n")).collect();
    let decoded = DecodedImage::decode(&assemble(&calls), &Limits::default());
    let outcome = decoded.expect("it is decoded").link(&mut |_| None);
    let message = outcome.expect_err("nothing is defined").to_string();
    assert!(message.len() < MESSAGE_BYTES_MAX, "{} bytes", message.len());
    assert!(message.contains("and 484 more"), "{message}");
}

/// Escape sequences steer the terminal of whoever reads the message; a newline forges a line.
#[test]
fn a_name_with_control_characters_is_refused() {
    let reversed = b"x\xe2\x80\xaeyz";
    for forged in [
        b"\x1b[31mx",
        b"x\nevil",
        b"x\revil",
        b"x\xc2\x9bxxx",
        reversed,
    ] {
        let mut object = assemble("forged: ret\n");
        let name = b"forged";
        let at = object
            .windows(name.len())
            .position(|window| window == name)
            .expect("the name is in the object");
        object[at..at + name.len()].copy_from_slice(forged);
        let error = DecodedImage::decode(&object, &Limits::default()).expect_err("forged");
        let message = error.to_string();
        assert!(message.contains("its name is not valid"), "{message}");
        assert!(!message.contains(char::is_control), "{message:?}");
    }
}

/// Each section asks for the start of a page, so few bytes of object need much image.
#[test]
fn alignment_cannot_inflate_an_image_past_its_limit() {
    let mut source = String::new();
    for index in 0..15_000 {
        source.push_str(&format!(
            ".section .bss.{index},\"aw\",@nobits\n.balign 4096\n.skip 1\n"
        ));
    }
    source.push_str(".text\nret\n");
    let limits = Limits {
        image_bytes_max: 32 << 20,
        ..Limits::default()
    };
    let start = Instant::now();
    let decoded = DecodedImage::decode(&assemble(&source), &limits).expect("it is decoded");
    let error = decoded.link(&mut |_| None).expect_err("60 MiB of padding");
    assert!(
        error.to_string().contains("use less static data"),
        "{error}"
    );
    assert!(start.elapsed() < 2 * PATIENCE);
}
