//! The examples, run as their documentation says.

use std::path::Path;
use std::process::Command;

/// Runs an example, which must succeed, and returns what it printed.
fn run(example: &str, arguments: &[&str]) -> String {
    let run = Command::new(env!("CARGO"))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .args(["run", "--quiet", "--locked", "--example", example, "--"])
        .args(arguments)
        .output()
        .expect("cargo runs");
    let (stdout, stderr) = (
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr),
    );
    assert!(run.status.success(), "{stdout}{stderr}");
    stdout.into_owned()
}

#[test]
fn a_plug_in_host_tells_how_each_word_went() {
    let source = "examples/plug_in_host/plug_in.c";
    let words = [
        "area",
        "responsibility",
        "loop",
        "null",
        "wild",
        "dig",
        "lie",
        "hoard",
        "area",
    ];
    let printed = run("plug_in_host", &[&[source][..], &words].concat());
    let expected = [
        "area: 10",
        "responsibility: 24",
        "  it notes: that is a long word",
        "loop: ended early: deadline passed in score+0x",
        "null: ended early: null pointer write at 0x8 in score+0x",
        "wild: ended early: wild write at 0x80000000 in score+0x",
        "dig: ended early: stack overflow at 0x",
        "lie: ended early: aborted by a host function",
        "hoard: ",
        "area: 10",
    ];
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{printed}");
    for (line, start) in lines.iter().zip(expected) {
        assert!(line.starts_with(start), "{line}, expected {start}");
    }
}
