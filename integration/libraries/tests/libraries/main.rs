//! Whole third-party C libraries, as they come from the registry, run as grafts.
//!
//! Every source file of a library is compiled to assembly by gcc and by clang. From one and the
//! same assembly two programs are made: `as` and the C library make a native one, misfit, `as` and
//! the runtime of the SDK make a graft. Both run the same glue on the same data, and must write the
//! same bytes.
//!
//! * `catalog` says which libraries there are, and how each is compiled;
//! * `build` makes the two programs;
//! * `run` runs them.
//!
//! `VINO_LEVELS=-O0,-O3` tries other levels than the sample below, with every compiler.
//! `cargo test -p libraries -- --nocapture` prints sizes and times.

mod build;
mod catalog;
mod run;

use std::env;

use build::{Built, Compiler, Tools};
use catalog::Library;

/// What both runs start from.
const SEED: u32 = 20_130_607;

/// What one comparison found.
struct Finding {
    output_bytes: usize,
    native_text_bytes: u64,
    graft_text_bytes: u64,
    native_seconds: f64,
    graft_seconds: f64,
}

/// Builds a library both ways, runs both, and compares what they write.
fn compare(tools: &mut Tools, library: &Library, level: &str) -> Result<Finding, String> {
    let Built {
        folder,
        program,
        graft,
        native_text_bytes,
        graft_text_bytes,
    } = build::build(tools, library, level)?;
    let native = run::natively(&program, library.input, SEED)?;
    let sandboxed = run::in_a_sandbox(&graft, library.input, SEED)?;
    drop(folder);
    if native.output.is_empty() {
        return Err("nothing was written, so nothing was compared".to_owned());
    }
    if let Some(at) = first_difference(&native.output, &sandboxed.output) {
        return Err(format!(
            "native and graft differ at byte {at} of {} and {}",
            native.output.len(),
            sandboxed.output.len()
        ));
    }
    Ok(Finding {
        output_bytes: native.output.len(),
        native_text_bytes,
        graft_text_bytes,
        native_seconds: native.seconds,
        graft_seconds: sandboxed.seconds,
    })
}

fn first_difference(left: &[u8], right: &[u8]) -> Option<usize> {
    let common = left.iter().zip(right).position(|(a, b)| a != b);
    common.or_else(|| (left.len() != right.len()).then(|| left.len().min(right.len())))
}

/// Proves a library with both compilers at `-O2`, and with each at one more level.
fn prove(library: &Library, gcc_level: &str, clang_level: &str) {
    let chosen = env::var("VINO_LEVELS").ok();
    let levels = |sample: &str| -> Vec<String> {
        let all = chosen.clone().unwrap_or_else(|| format!("-O2,{sample}"));
        all.split(',').map(str::to_owned).collect()
    };
    let mut failures = Vec::new();
    for (compiler, sample) in [(Compiler::Gcc, gcc_level), (Compiler::Clang, clang_level)] {
        if !compiler.exists() {
            assert_ne!(compiler, Compiler::Gcc, "gcc is needed: install it");
            eprintln!(
                "notice: {compiler} is not installed, {} is not tested with it",
                library.name
            );
            continue;
        }
        let mut tools = Tools::new(compiler).expect("the runtime can be built");
        for level in levels(sample) {
            let what = format!("{} {compiler} {level}", library.name);
            match compare(&mut tools, library, &level) {
                Ok(finding) => report(&what, &finding),
                Err(error) => failures.push(format!("{what}: {error}")),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn report(what: &str, finding: &Finding) {
    let Finding {
        output_bytes,
        native_text_bytes,
        graft_text_bytes,
        native_seconds,
        graft_seconds,
    } = finding;
    let growth_permille = graft_text_bytes * 1000 / native_text_bytes - 1000;
    eprintln!(
        "{what}: {output_bytes} bytes equal; text {native_text_bytes} -> {graft_text_bytes} \
         (+{}.{} %); {native_seconds:.3} s -> {graft_seconds:.3} s ({:.2})",
        growth_permille / 10,
        growth_permille % 10,
        graft_seconds / native_seconds
    );
}

#[test]
fn zlib_runs_as_a_graft() {
    prove(&catalog::ZLIB, "-Os", "-O3");
}

#[test]
fn lz4_runs_as_a_graft() {
    prove(&catalog::LZ4, "-O3", "-Os");
}

#[test]
fn bzip2_runs_as_a_graft() {
    prove(&catalog::BZIP2, "-O0", "-Oz");
}

#[test]
fn zstd_runs_as_a_graft() {
    prove(&catalog::ZSTD, "-O1", "-O0");
}

#[test]
fn lua_runs_as_a_graft() {
    prove(&catalog::LUA, "-Os", "-O1");
}

#[test]
fn pcre2_runs_as_a_graft() {
    prove(&catalog::PCRE2, "-O3", "-Os");
}

#[test]
fn tree_sitter_runs_as_a_graft() {
    prove(&catalog::TREE_SITTER, "-O0", "-Oz");
}
