//! Inputs that are no compiler's assembly: one sentence instead of one for each line.

use vino_abi::BASE_SLOT;

use crate::diagnostic::Refusal;

const HOW: &str = "compile it first: gcc -O2 -fPIC -fno-ipa-ra -S, clang -S or rustc --emit asm";

/// Says where and why an input as a whole is refused, if it is.
pub(crate) fn refusal(assembly: &str) -> Option<(u32, &str, Refusal)> {
    if assembly.trim().is_empty() {
        return Some((1, "", Refusal::new("the input is empty", HOW)));
    }
    let rebase = format!("addq %gs:{BASE_SLOT:#x}, %");
    (1..).zip(assembly.lines()).find_map(|(number, line)| {
        let line = line.trim();
        let refusal = if line.starts_with(&rebase) {
            Refusal::new(
                "already instrumented",
                "give misfit the output of the compiler, once",
            )
        } else if is_source(line) {
            Refusal::new("this is a source program, not assembly", HOW)
        } else {
            return None;
        };
        Some((number, line, refusal))
    })
}

/// Whether a line is one of C, C++ or Rust: no statement of assembly ends in a brace.
fn is_source(line: &str) -> bool {
    line.starts_with("#include") || line.ends_with('{') && !line.contains(['%', '#', '*', '"'])
}
