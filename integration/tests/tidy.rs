//! House rules that no compiler checks; `CONTRIBUTING.md` lists them.
use std::fs;
use std::path::{Path, PathBuf};

/// Longest line of Rust source, in characters.
const LINE_CHARS_MAX: usize = 100;
/// Longest function, in lines from its `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;
/// Longest Rust file, in lines.
const FILE_LINES_MAX: usize = 800;

struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    fn is_generated(&self) -> bool {
        self.text
            .lines()
            .take(3)
            .any(|line| line.contains("@generated"))
    }
}

fn sources() -> Vec<Source> {
    let root = integration::repository_root();
    let rust = integration::project_files().into_iter();
    let rust = rust.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.map(|path| Source {
        text: fs::read_to_string(root.join(&path)).expect("UTF-8"),
        path,
    })
    .collect()
}

/// Asserts that `complaints` is empty, printing all of them otherwise.
fn assert_tidy(rule: &str, complaints: &[String]) {
    assert!(complaints.is_empty(), "{rule}:\n{}", complaints.join("\n"));
}

#[test]
fn lines_and_files_are_short() {
    let mut complaints = Vec::new();
    for source in sources().iter().filter(|source| !source.is_generated()) {
        for (number, line) in source.text.lines().enumerate() {
            if line.chars().count() > LINE_CHARS_MAX {
                complaints.push(format!("{}:{}", source.path.display(), number + 1));
            }
        }
        let lines = source.text.lines().count();
        if lines > FILE_LINES_MAX {
            complaints.push(format!("{}: {lines} lines", source.path.display()));
        }
    }
    assert_tidy(
        "lines have at most 100 characters and files at most 800 lines",
        &complaints,
    );
}

#[test]
fn functions_fit_on_a_screen() {
    let mut complaints = Vec::new();
    for source in sources().iter().filter(|source| !source.is_generated()) {
        for (start, name, lines) in functions(&source.text) {
            if lines > FUNCTION_LINES_MAX {
                let path = source.path.display();
                complaints.push(format!("{path}:{start}: {name} has {lines} lines"));
            }
        }
    }
    assert_tidy("functions have at most 70 lines", &complaints);
}

/// The functions of formatted source: line number, name and length in lines.
fn functions(text: &str) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let Some((_, after)) = trimmed.split_once("fn ") else {
            continue;
        };
        if trimmed.starts_with("//") || !is_item_prefix(trimmed) {
            continue;
        }
        let indent = &line[..line.len() - trimmed.len()];
        let closing = format!("{indent}}}");
        let name = after.split(['(', '<']).next().unwrap_or(after).to_owned();
        let signature_end = lines[index..]
            .iter()
            .find(|line| line.ends_with(['{', ';', '}']));
        if signature_end.is_none_or(|line| !line.ends_with('{')) {
            continue;
        }
        if let Some(length) = lines[index..].iter().position(|line| *line == closing) {
            found.push((index + 1, name, length + 1));
        }
    }
    found
}

/// Whether what stands before `fn ` on the line is only what may introduce a function item.
fn is_item_prefix(line: &str) -> bool {
    let before = line.split("fn ").next().unwrap_or_default();
    let words = ["pub", "const", "async", "unsafe", "extern", "\"C\""];
    before
        .split_whitespace()
        .all(|word| words.contains(&word) || word.starts_with("pub("))
}

#[test]
fn every_module_says_what_it_is_for() {
    let complaints: Vec<String> = sources()
        .iter()
        .filter(|source| !source.text.starts_with("//!") && !source.is_generated())
        .map(|source| source.path.display().to_string())
        .collect();
    assert_tidy("a file starts with a `//!` sentence", &complaints);
}

#[test]
fn nothing_is_left_over() {
    let marks = ["TODO", "FIXME", "XXX"];
    let this_file = Path::new("integration/tests/tidy.rs");
    let mut complaints = Vec::new();
    for source in sources().iter().filter(|source| source.path != this_file) {
        for (number, line) in source.text.lines().enumerate() {
            let leftover = marks.iter().any(|mark| line.contains(mark))
                || line.contains("#[ignore")
                || line.contains("#[allow(")
                || line.contains("#![allow(");
            if leftover && !source.is_generated() {
                complaints.push(format!("{}:{}: {line}", source.path.display(), number + 1));
            }
        }
    }
    assert_tidy(
        "no leftover marks, ignored tests or `allow` (use a reasoned `expect`)",
        &complaints,
    );
}

#[test]
fn unsafe_code_has_one_address() {
    let mut complaints = Vec::new();
    let this_file = Path::new("integration/tests/tidy.rs");
    for source in sources().iter().filter(|source| source.path != this_file) {
        // The SDK's Rust crate is graft code: it runs inside the sandbox, and nothing trusts it.
        if source.path.starts_with("sim-core/sandbox/src/exec")
            || source.path.starts_with("graft-sdk/rust/src")
            || source.is_generated()
        {
            continue;
        }
        for (number, line) in source.text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if code.contains("unsafe {")
                || code.contains("unsafe fn")
                || code.contains("unsafe impl")
            {
                complaints.push(format!("{}:{}", source.path.display(), number + 1));
            }
        }
    }
    assert_tidy(
        "unsafe code exists only in sim-core/sandbox/src/exec",
        &complaints,
    );
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    let root = integration::repository_root();
    let complaints: Vec<String> = integration::project_files()
        .iter()
        .filter(|path| path.ends_with("Cargo.toml") && path.parent() != Some(Path::new("")))
        .filter(|path| !path.starts_with("proto"))
        .filter(|path| {
            let manifest = fs::read_to_string(root.join(path)).expect("UTF-8");
            !manifest.contains("[lints]\nworkspace = true")
        })
        .map(|path| path.display().to_string())
        .collect();
    assert_tidy(
        "a crate inherits the workspace's lints (proto alone is generated)",
        &complaints,
    );
}

#[test]
fn no_path_of_one_machine_is_committed() {
    let root = integration::repository_root();
    let homes = ["/home/", "/work/", "/root/"];
    let mut complaints = Vec::new();
    for path in integration::project_files() {
        if path == Path::new("integration/tests/tidy.rs") {
            continue;
        }
        let Ok(text) = fs::read_to_string(root.join(&path)) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            let manual = line.contains("/home/grafts/");
            if homes.iter().any(|home| line.contains(home)) && !manual {
                complaints.push(format!("{}:{}: {line}", path.display(), number + 1));
            }
        }
    }
    assert_tidy("no file names a folder of one machine", &complaints);
}
