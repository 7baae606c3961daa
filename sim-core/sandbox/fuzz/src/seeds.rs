//! The objects that changes start from: what the verifier's own tests accept.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use vino_sandbox::{DecodedImage, Limits, SegmentKind};

/// The macros that the cases are written in.
const PRELUDE: &str = include_str!("../../tests/verify/prelude.inc");
const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/verify/accept");

/// Every accepted case of the verifier's tests, assembled.
///
/// # Panics
///
/// The checkout or the assembler is missing.
pub fn objects() -> &'static [Vec<u8>] {
    static OBJECTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        let folder = std::fs::read_dir(CASES).expect("the cases are in the checkout");
        let mut paths: Vec<_> = folder
            .map(|entry| entry.expect("an entry").path())
            .collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "s"));
        paths.sort();
        let read =
            |path: &std::path::PathBuf| assemble(&std::fs::read_to_string(path).expect("a case"));
        paths.iter().map(read).collect()
    });
    &OBJECTS
}

/// Assembles a source that uses the cases' macros.
///
/// # Panics
///
/// `as` is missing or refuses it.
pub fn assemble(source: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [input, output] = ["seed.s", "seed.o"].map(|name| folder.path().join(name));
    std::fs::write(&input, format!("{PRELUDE}{source}")).expect("a file");
    let run = |output: &Path| {
        Command::new("as")
            .arg(&input)
            .arg("-o")
            .arg(output)
            .status()
    };
    assert!(run(&output).expect("as is installed").success(), "{source}");
    std::fs::read(&output).expect("as wrote it")
}

/// The code of an object as it stands in a sandbox, without the padding behind it.
///
/// # Panics
///
/// The object is not one that is accepted.
pub fn text(object: &[u8]) -> Vec<u8> {
    let decoded = DecodedImage::decode(object, &Limits::default()).expect("it is decoded");
    let image = decoded.link(&mut |_| Some(1)).expect("it is linked");
    let is_text = |kind| kind == SegmentKind::Text;
    let index = image
        .segments()
        .iter()
        .position(|segment| is_text(segment.kind));
    let index = index.expect("it has code");
    let mut bytes = vec![0; image.segments()[index].bytes_len as usize];
    image.place(super::BASE, index, &mut bytes);
    let end = bytes
        .iter()
        .rposition(|byte| *byte != 0xcc)
        .map_or(0, |last| last + 1);
    bytes.truncate(end);
    bytes
}
