//! The threat model names a test for every attack; these are all there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const THREATS: &str = include_str!("../THREATS.md");
/// Attacks that the page names at least; fewer mean that its table is not read.
const ATTACKS_MIN: usize = 30;

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The names of all functions that follow a `#[test]`.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for folder in ["src", "tests", "fuzz/tests"] {
        for path in sources(&crate_folder().join(folder)) {
            let text = fs::read_to_string(path).expect("UTF-8");
            for test in text.split("#[test]\n").skip(1) {
                let name = test
                    .split_once("fn ")
                    .and_then(|(_, rest)| rest.split_once('('));
                names.insert(name.expect("a test is a function").0.to_owned());
            }
        }
    }
    names
}

/// Whether a case like `reject/memory-*.s` exists.
fn is_case(pattern: &str) -> bool {
    let Some((folder, file)) = pattern.split_once('/') else {
        return false;
    };
    let Some((start, end)) = file.split_once('*') else {
        return crate_folder().join("tests/verify").join(pattern).exists();
    };
    let cases = fs::read_dir(crate_folder().join("tests/verify").join(folder));
    cases.into_iter().flatten().any(|case| {
        let name = case.expect("an entry").file_name();
        let name = name.to_string_lossy();
        name.starts_with(start) && name.ends_with(end)
    })
}

#[test]
fn every_attack_of_the_threat_model_has_tests_that_exist() {
    let tests = tests();
    let rows = THREATS.lines().filter(|line| line.starts_with("| "));
    let rows: Vec<&str> = rows
        .skip_while(|row| !row.ends_with("| shown by |"))
        .collect();
    let attacks = &rows[1..];
    assert!(attacks.len() >= ATTACKS_MIN, "{} attacks", attacks.len());
    let mut complaints = Vec::new();
    for row in attacks {
        let shown_by = row
            .trim_end_matches(" |")
            .rsplit(" | ")
            .next()
            .expect("a cell");
        let names: Vec<&str> = shown_by.split('`').skip(1).step_by(2).collect();
        if names.is_empty() {
            complaints.push(format!("no test: {row}"));
        }
        for name in names {
            if !tests.contains(name) && !is_case(name) {
                complaints.push(format!("no such test, correct THREATS.md: {name}"));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
