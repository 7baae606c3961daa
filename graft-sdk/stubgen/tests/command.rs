//! The `stubgen` command, as a shell meets it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn stubgen(folder: &Path, arguments: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_stubgen"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("stubgen runs");
    let report = String::from_utf8(output.stderr.clone()).expect("messages are text");
    (output, report)
}

#[test]
fn a_wrong_argument_is_a_usage_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (arguments, message) in [
        (&["--chek"][..], "unknown argument `--chek`"),
        (&["--out"][..], "--out needs a value"),
    ] {
        let (output, report) = stubgen(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(report.contains(message), "{report}");
        assert!(report.contains("usage: stubgen"), "{report}");
    }
}

#[test]
fn a_folder_without_headers_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (output, report) = stubgen(folder.path(), &["--interface", "nowhere"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(report.contains("cannot read nowhere: "), "{report}");
    fs::create_dir(folder.path().join("empty")).expect("writable");
    let (output, report) = stubgen(folder.path(), &["--interface", "empty"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(report.contains("empty: 0 headers"), "{report}");
}

#[test]
fn mistakes_are_reported_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let header = "class page_o {\n    GRAFTABLE(status_t, page_o, pick);\n};\n";
    fs::write(folder.path().join("page.H"), header).expect("writable");
    let (output, report) = stubgen(folder.path(), &["--interface", "."]);
    assert_eq!(output.status.code(), Some(1));
    let place = "page.H:2:37: `)` where `,` is due";
    assert!(report.contains(place), "{report}");
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1);
}

#[test]
fn check_names_what_is_stale_and_how_to_refresh_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let header = "/// Pages.\nclass page_o {\n};\n";
    fs::write(folder.path().join("page.H"), header).expect("writable");
    let arguments = ["--check", "--interface", "."];
    let (output, report) = stubgen(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        report.contains("sim-core/src/graft/generated.rs"),
        "{report}"
    );
    assert!(report.contains("run `cargo run -p stubgen`"), "{report}");
    for output in [
        "sim-core/src/graft",
        "graft-sdk/include/vino",
        "graft-sdk/interface",
    ] {
        fs::create_dir_all(folder.path().join(output)).expect("writable");
    }
    let (output, report) = stubgen(folder.path(), &arguments[1..]);
    assert!(output.status.success(), "{report}");
    let (output, report) = stubgen(folder.path(), &arguments);
    assert!(output.status.success(), "{report}");
}
