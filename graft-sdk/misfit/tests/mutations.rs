//! Damaged assembly is refused or rewritten, never a panic, and what is written keeps its promise.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use misfit::{DIAGNOSTICS_MAX, Options, instrument};
use proptest::prelude::{Strategy, any, prop, prop_assert, proptest};

/// Every line that misfit accepts in its place.
static LINES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rewrite");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("the folder is in the checkout")
        .map(|file| file.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "s"))
        .collect();
    paths.sort();
    let text = |path| fs::read_to_string(path).expect("a case");
    let lines: Vec<String> = paths.into_iter().map(text).collect();
    let selects = |line: &&str| !line.contains(".section") && !line.contains(".data");
    lines
        .iter()
        .flat_map(|text| text.lines().filter(selects).map(str::to_owned))
        .collect()
});

/// A program of lines in any order, some with characters removed or replaced.
fn programs() -> impl Strategy<Value = String> {
    let damage = (
        any::<prop::sample::Index>(),
        "[-%$*()@#;:,.\"é{} \ta-z0-9]{0,2}",
    );
    let line = (
        any::<prop::sample::Index>(),
        prop::option::weighted(0.03, damage),
    );
    prop::collection::vec(line, 0..40).prop_map(|picks| {
        let mut program = String::new();
        for (pick, damage) in picks {
            let mut line: Vec<char> = pick.get(&LINES).chars().collect();
            if let Some((place, replacement)) = damage
                && !line.is_empty()
            {
                let at = place.index(line.len());
                line.splice(at..=at, replacement.chars());
            }
            program.extend(line);
            program.push('\n');
        }
        program
    })
}

/// Whether an output line has a memory operand that is neither sandboxed nor one that may stay.
fn has_bare_access(line: &str) -> bool {
    let line = line.trim_start();
    let is_code = !line.starts_with(['.', '#']) && !line.starts_with("lea") && line.contains('(');
    let stays = ["%gs:", "(%rip)", "(%rsp)"]
        .iter()
        .any(|form| line.contains(form));
    is_code && !stays && !line.contains('=') && !line.ends_with(':')
}

proptest! {
    #[test]
    fn damaged_programs_never_panic_nor_pass_unprotected(program in programs()) {
        match instrument(&program, &Options::ALL) {
            Ok(output) => {
                for line in output.lines() {
                    prop_assert!(!has_bare_access(line), "{line}\nof\n{program}");
                }
            }
            Err(problems) => {
                prop_assert!(!problems.is_empty() && problems.len() <= DIAGNOSTICS_MAX);
                let sorted = problems.is_sorted_by_key(|problem| problem.line);
                prop_assert!(sorted, "{problems:?}");
            }
        }
    }

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        let _ = instrument(&text, &Options::ALL);
    }
}
