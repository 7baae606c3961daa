//! Whether another disassembler reads code as the verifier does.
//!
//! The text of installed libraries is read by `objdump`, which shares nothing with the
//! disassembler here. Where the two disagree how long an instruction is, or `objdump` sees none,
//! the verifier must refuse it.
//!
//! `VINO_LENGTHS_OF=FILE:FILE..` reads these files whole, whatever their size:
//!
//! ```text
//! VINO_LENGTHS_OF=/usr/lib/gcc/x86_64-linux-gnu/12/cc1 \
//!     cargo test --release -p vino-sandbox --test verify lengths -- --nocapture
//! ```

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use iced_x86::{Decoder, DecoderOptions};
use object::{Object, ObjectSection, SectionKind};
use vino_sandbox::{Policy, SymbolTable, Text, verify};

/// Files that most machines have some of.
const LIBRARIES: [&str; 4] = [
    "/lib/x86_64-linux-gnu/libc.so.6",
    "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
    "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
    "/usr/lib64/libc.so.6",
];
/// Bytes of text that are read of each library.
const BYTES_READ_MAX: usize = 1 << 20;
/// The longest instruction.
const INSTRUCTION_BYTES_MAX: usize = 15;
/// Disagreements that a failure shows.
const SHOWN_MAX: usize = 20;
const OFFSET: u32 = 0x10_0000;

/// Whether the verifier may accept these bytes as an instruction of its own.
fn is_accepted(bytes: &[u8]) -> bool {
    let padded = [bytes, &[0xcc; 16]].concat();
    let text = Text {
        bytes: &padded,
        offset: OFFSET,
        image: 0..u32::MAX,
        imports: &[],
        entries: &[],
        relocations: &[],
        symbols: &SymbolTable::default(),
    };
    verify(
        &text,
        &Policy {
            read_protection: false,
        },
    )
    .is_ok()
}

/// The largest section of code of a file.
fn code_of(path: &Path) -> Vec<u8> {
    let file = std::fs::read(path).expect("a library");
    let file = object::File::parse(&*file).expect("an object");
    let sections = file.sections();
    let code = sections.filter(|section| section.kind() == SectionKind::Text);
    let largest = code.max_by_key(ObjectSection::size).expect("it has code");
    largest.data().expect("its bytes are in the file").to_vec()
}

/// Compares `objdump`'s instructions of `code` with the verifier's; the disagreements that it
/// would accept, and how many instructions and disagreements there were.
fn compare(code: &[u8]) -> (Vec<String>, u64, u64) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let raw = folder.path().join("code");
    std::fs::write(&raw, code).expect("a temporary file");
    let mut objdump = Command::new("objdump")
        .args([
            "-D",
            "-b",
            "binary",
            "-m",
            "i386:x86-64",
            "-z",
            "--no-show-raw-insn",
        ])
        .arg(&raw)
        .stdout(Stdio::piped())
        .spawn()
        .expect("objdump is installed: it is part of binutils, as the assembler is");
    let output = BufReader::new(objdump.stdout.take().expect("its output is piped"));
    let (mut accepted, mut instructions, mut disagreements) = (Vec::new(), 0, 0);
    let mut last: Option<(usize, String)> = None;
    let mut judge = |start: usize, text: &str, end: usize| {
        instructions += 1;
        let rest = &code[start..code.len().min(start + INSTRUCTION_BYTES_MAX)];
        let ip = u64::from(OFFSET);
        let read = Decoder::with_ip(64, rest, ip, DecoderOptions::NONE).decode();
        let agree = read.len() == end - start && !text.contains("(bad)") && !read.is_invalid();
        if !agree {
            disagreements += 1;
            let bytes = &rest[..read.len().min(rest.len())];
            if !read.is_invalid() && is_accepted(bytes) {
                accepted.push(format!("{start:#x}: {bytes:02x?}: {text}"));
            }
        }
    };
    for line in output.lines() {
        let line = line.expect("objdump writes text");
        let Some((address, text)) = line.trim_start().split_once(":\t") else {
            continue;
        };
        let Ok(address) = usize::from_str_radix(address, 16) else {
            continue;
        };
        if let Some((start, text)) = last.replace((address, text.to_owned())) {
            judge(start, &text, address);
        }
    }
    assert!(objdump.wait().expect("objdump ends").success());
    // The last instruction may be cut off by the end of what was read.
    (accepted, instructions, disagreements)
}

#[test]
fn lengths_are_those_of_objdump_or_the_instruction_is_refused() {
    let chosen = std::env::var("VINO_LENGTHS_OF").ok();
    let files: Vec<&str> = match &chosen {
        Some(files) => files.split(':').collect(),
        None => LIBRARIES.to_vec(),
    };
    let mut total = 0;
    for path in files.into_iter().map(Path::new) {
        if chosen.is_none() && !path.exists() {
            continue;
        }
        let mut code = code_of(path);
        if chosen.is_none() {
            code.truncate(BYTES_READ_MAX);
        }
        let (accepted, instructions, disagreements) = compare(&code);
        println!(
            "{}: {instructions} instructions, {disagreements} read differently and refused",
            path.display()
        );
        let shown = &accepted[..accepted.len().min(SHOWN_MAX)];
        assert!(accepted.is_empty(), "{}: {shown:#?}", path.display());
        total += instructions;
    }
    assert!(
        total > 100_000,
        "only {total} instructions: name files in VINO_LENGTHS_OF"
    );
}
