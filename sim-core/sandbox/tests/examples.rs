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

#[test]
fn an_image_filter_equals_the_native_one_and_survives_hostile_ones() {
    let printed = run("image_filter", &[]);
    assert!(printed.starts_with("a picture of 1920 x 1080 pixels, 3 bytes each\n"));
    let expected = [
        "the results are the same, byte for byte\n",
        "never_return: stopped: deadline passed in never_return+0x",
        "filtered again: the same\n",
    ];
    for part in expected {
        assert!(printed.contains(part), "{printed}");
    }
    assert_eq!(printed.matches("  the picture is intact\n").count(), 2);
}

#[test]
fn an_image_filter_reads_and_writes_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (input, output) = (folder.path().join("in.pgm"), folder.path().join("out.pgm"));
    // One bright pixel, whose blur is the product of the weights 1 4 6 4 1.
    let mut file = b"P5\n# a comment\n7 5 255\n".to_vec();
    file.extend((0..35).map(|at| if at == 2 * 7 + 3 { 255 } else { 0 }));
    std::fs::write(&input, file).expect("a file");
    let paths = [&input, &output].map(|path| path.to_str().expect("UTF-8"));
    run("image_filter", &paths);
    let weights = [0, 1, 4, 6, 4, 1, 0];
    let mut expected = b"P5\n7 5\n255\n".to_vec();
    for y in 1..6 {
        let row = weights.map(|weight| (255 * weights[y] * weight + 128) / 256);
        expected.extend(row.map(|value| u8::try_from(value).expect("a byte")));
    }
    assert_eq!(std::fs::read(&output).expect("written"), expected);
}
