//! Wrong declarations, each with the messages that its author gets.
//!
//! A case is `errors/NAME.H` and, beside it, `NAME.expected`; VINO_BLESS=1 writes the latter.

use std::path::{Path, PathBuf};
use std::{env, fs};

use stubgen::{DIAGNOSTICS_MAX, Source};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let entries = fs::read_dir(folder).expect("tests/errors is readable");
    let mut cases: Vec<PathBuf> = entries
        .map(|entry| entry.expect("tests/errors is readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "H"))
        .collect();
    cases.sort();
    cases
}

fn messages(name: &str, text: &str) -> String {
    let source = Source {
        name: name.to_owned(),
        text: text.to_owned(),
    };
    match stubgen::compile(&[source]) {
        Ok(_) => "accepted".to_owned(),
        Err(diagnostics) => diagnostics.to_string(),
    }
}

#[test]
fn every_mistake_gets_its_message() {
    let cases = cases();
    assert!(cases.len() >= 20, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let text = fs::read_to_string(&case).expect("the case is UTF-8");
        let name = case.file_name().expect("a file").to_string_lossy();
        let found = messages(&name, &text) + "\n";
        let expected = case.with_extension("expected");
        if env::var_os("VINO_BLESS").is_some() {
            fs::write(&expected, &found).expect("the expectation is writable");
        }
        if fs::read_to_string(&expected).unwrap_or_default() != found {
            wrong.push(format!("{name}:\n{found}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\nif these are right: VINO_BLESS=1 cargo test -p stubgen --test errors",
        wrong.join("\n")
    );
}

#[test]
fn the_report_is_bounded_and_counts_the_rest() {
    let member = "GRAFT_CALLABLE uint32_t f(IN unknown_t x);\n";
    let text = format!("class c_o {{\n{}}};\n", member.repeat(DIAGNOSTICS_MAX));
    let source = Source {
        name: "many.H".to_owned(),
        text,
    };
    let diagnostics = stubgen::compile(&[source]).expect_err("the type is unknown");
    assert_eq!(diagnostics.iter().count(), DIAGNOSTICS_MAX);
    let hidden = diagnostics.total() - DIAGNOSTICS_MAX;
    assert!(hidden > 0);
    let report = diagnostics.to_string();
    assert!(report.ends_with(&format!("and {hidden} more")), "{report}");
}

#[test]
fn a_header_over_the_size_limit_is_refused() {
    let text = "/".repeat(stubgen::SOURCE_BYTES_MAX + 1);
    let report = messages("big.H", &text);
    assert!(
        report.contains("the header has 1048577 bytes, the limit is 1048576"),
        "{}",
        report.lines().next().unwrap_or_default()
    );
}

#[test]
fn torn_and_broken_headers_end_in_a_report_and_not_in_a_panic() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../interface");
    let text = fs::read_to_string(folder.join("vm.H")).expect("vm.H is readable");
    let mut refused = 0;
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        refused += usize::from(messages("torn.H", &text[..end]) != "accepted");
    }
    assert!(
        refused > text.len() / 2,
        "only {refused} torn headers were refused"
    );
    for (at, _) in text.match_indices(['(', ')', '{', '}', '<', '>', ',', ';']) {
        let broken = format!("{}{}", &text[..at], &text[at + 1..]);
        messages("broken.H", &broken);
    }
}
