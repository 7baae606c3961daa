//! Exact output for small inputs, and exact complaints about inputs that cannot be made safe.
//!
//! `rewrite/*.s` starts with a line `# flags: -crws`; its output is in the `.expected` beside it.
//! In `refuse/*.s` every line that must be refused ends in `# error: message | advice`.
//! `VINO_BLESS=1` writes the files anew; read the difference before you commit it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use misfit::{Diagnostic, Options, instrument};

fn cases(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(folder);
    let files = fs::read_dir(&folder).expect("the folder is in the checkout");
    let mut cases: Vec<PathBuf> = files
        .map(|file| file.expect("a directory entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "s"))
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "no cases in {}", folder.display());
    cases
}

fn options(text: &str, path: &Path) -> Options {
    let flags = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("# flags: -"));
    let flags = flags.unwrap_or_else(|| panic!("{} starts with its flags", path.display()));
    let has = |flag| flags.contains(flag);
    Options {
        indirect_calls: has('c'),
        reads: has('r'),
        writes: has('w'),
        stack: has('s'),
    }
}

fn blessing() -> bool {
    std::env::var_os("VINO_BLESS").is_some()
}

/// Assembles text, so that no snapshot holds what the assembler refuses.
fn assemble(text: &str, path: &Path) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let input = folder.path().join("case.s");
    fs::write(&input, text).expect("a file");
    let output = Command::new("as")
        .arg(&input)
        .arg("-o")
        .arg(folder.path().join("case.o"))
        .stdin(Stdio::null())
        .output()
        .expect("as runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", path.display());
}

#[test]
fn output_is_what_it_was() {
    for path in cases("rewrite") {
        let text = fs::read_to_string(&path).expect("a case");
        let output = match instrument(&text, &options(&text, &path)) {
            Ok(output) => output,
            Err(problems) => panic!("{}: {problems:#?}", path.display()),
        };
        assemble(&output, &path);
        let expected_path = path.with_extension("expected");
        if blessing() {
            fs::write(&expected_path, &output).expect("a snapshot");
        }
        let expected = fs::read_to_string(&expected_path).expect("a snapshot");
        assert_eq!(output, expected, "{}", path.display());
    }
}

#[test]
fn unsafe_lines_are_refused_with_advice() {
    for path in cases("refuse") {
        let mut text = fs::read_to_string(&path).expect("a case");
        let problems = instrument(&text, &options(&text, &path))
            .err()
            .unwrap_or_default();
        let mut found = String::new();
        for (line, number) in text.lines().zip(1..) {
            let code = line.split("# error:").next().unwrap_or("").trim_end();
            found.push_str(code);
            for Diagnostic {
                message, advice, ..
            } in problems.iter().filter(|problem| problem.line == number)
            {
                found.push_str(&format!(" # error: {message} | {advice}"));
            }
            found.push('\n');
        }
        if blessing() {
            fs::write(&path, &found).expect("a case");
            text.clone_from(&found);
        }
        assert_eq!(found, text, "{}", path.display());
        assert!(!problems.is_empty(), "{} refuses nothing", path.display());
    }
}

#[test]
fn output_is_not_instrumented_again() {
    for path in cases("rewrite") {
        let text = fs::read_to_string(&path).expect("a case");
        let once = instrument(&text, &Options::ALL).expect("every case is safe");
        let again = instrument(&once, &Options::ALL);
        assert_eq!(again.is_err(), once.contains("%gs:"), "{}", path.display());
    }
}
