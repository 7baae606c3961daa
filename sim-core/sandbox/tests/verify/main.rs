//! The verifier against cases that are data.
//!
//! * `accept/*.s` must be accepted.
//! * `reject/*.s` must be rejected for exactly the rules in their `# error: R4` comments, on
//!   exactly those lines. `VINO_BLESS=1` rewrites the comments to what the verifier says.

mod coverage;
mod decode;
mod filetest;
mod hostile;
mod lengths;
mod messages;

use std::path::{Path, PathBuf};

use filetest::{Case, Outcome};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/verify")
        .join(name)
}

/// Runs every case of a folder and fails with a list of what went wrong.
fn run(name: &str, check: impl Fn(&Case, &Outcome) -> Result<(), String>) -> usize {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder(name))
        .expect("the folder of cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "s"))
        .collect();
    paths.sort();
    let failures: Vec<String> = paths
        .iter()
        .filter_map(|path| {
            let case = Case::read(path);
            let outcome = case.verify();
            let problem = check(&case, &outcome).err()?;
            Some(format!("{}:\n{problem}", path.display()))
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} cases fail (cargo test -p vino-sandbox --test verify repeats them):\n{}",
        failures.len(),
        failures.join("\n")
    );
    paths.len()
}

#[test]
fn what_keeps_the_rules_is_accepted() {
    let count = run("accept", |_, outcome| outcome.expect_accepted());
    assert!(count >= 30, "only {count} cases");
}

#[test]
fn what_breaks_a_rule_is_rejected_for_that_rule_on_that_line() {
    let bless = std::env::var_os("VINO_BLESS").is_some();
    let count = run("reject", |case, outcome| {
        if bless {
            case.bless(outcome);
        }
        outcome.expect_rejected(case)
    });
    assert!(count >= 220, "only {count} cases");
}
