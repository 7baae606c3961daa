//! What compilers emit passes through misfit and the verifier, and computes the same in a sandbox.
//!
//! Every program of `graft-sdk/misfit/tests/corpus` is compiled natively and run, then compiled to
//! assembly by each compiler at each level, instrumented, assembled, verified, loaded and called.
//! The two checksums must be equal.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::time::Duration;

use misfit::Options;
use vino_sandbox::{DecodedImage, Engine, Instance, InstanceConfig, Limits, NoHost};

/// What both runs start from.
const SEED: u64 = 12345;
/// No program of the corpus takes a hundredth of it, on any machine.
const DEADLINE: Duration = Duration::from_secs(60);
/// The corpus recurses and has large frames.
const STACK_BYTES: u32 = 1 << 20;

/// Compiler flags, and the levels of optimisation to try them at.
struct Flags {
    flags: &'static [&'static str],
    levels: &'static [&'static str],
}

/// What `vinoctl graft build` passes, as far as both compilers know it.
const GRAFT: Flags = Flags {
    flags: &[
        "-fPIC",
        "-fno-plt",
        "-fcf-protection=none",
        "-fno-stack-protector",
        "-fno-asynchronous-unwind-tables",
        "-fno-exceptions",
        "-mno-mmx",
        "-mno-avx512f",
        "-mno-tls-direct-seg-refs",
    ],
    levels: &["-O0", "-O1", "-O2", "-O3", "-Os"],
};
/// Nothing but what misfit cannot do without.
const BARE: Flags = Flags {
    flags: &["-fPIC", "-fno-exceptions"],
    levels: &["-O0", "-O2"],
};
/// Wider vectors and the bit manipulation instructions.
const WIDE: Flags = Flags {
    flags: &[
        "-fPIC",
        "-fno-exceptions",
        "-mavx2",
        "-mbmi",
        "-mbmi2",
        "-mpopcnt",
    ],
    levels: &["-O3"],
};
/// What distributions and debuggers add.
const HARDENED: Flags = Flags {
    flags: &[
        "-fPIC",
        "-fno-exceptions",
        "-g",
        "-fcf-protection=full",
        "-fstack-clash-protection",
        "-fno-omit-frame-pointer",
        "-ffunction-sections",
    ],
    levels: &["-O2"],
};

/// The main function of the native build, before its seed.
const NATIVE_MAIN: &str = "\
#include <stdio.h>
unsigned long corpus_run(unsigned long);
int main(void) { printf(\"%lx\\n\", corpus_run(SEED)); }
";

/// A compiler family and what it needs besides the common flags.
struct Compiler {
    c: &'static str,
    cpp: &'static str,
    flags: &'static [&'static str],
}

const GCC: Compiler = Compiler {
    c: "gcc",
    cpp: "g++",
    flags: &["-fno-ipa-ra"],
};
const CLANG: Compiler = Compiler {
    c: "clang",
    cpp: "clang++",
    flags: &[],
};

impl Compiler {
    fn exists(&self) -> bool {
        Command::new(self.c).arg("--version").output().is_ok()
    }

    /// A command that compiles `source`, in whichever language it is.
    fn compile(&self, source: &Path) -> Command {
        let is_cpp = source
            .extension()
            .is_some_and(|extension| extension == "cc");
        let mut command = Command::new(if is_cpp { self.cpp } else { self.c });
        command
            .args(is_cpp.then_some("-fno-rtti"))
            .arg("-w")
            .arg(source);
        command
    }
}

fn corpus() -> Vec<PathBuf> {
    let folder = integration::repository_root().join("graft-sdk/misfit/tests/corpus");
    let files = fs::read_dir(&folder).expect("the corpus is in the checkout");
    let mut sources: Vec<PathBuf> = files
        .map(|file| file.expect("a directory entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|ext| ext == "c" || ext == "cc")
        })
        .collect();
    sources.sort();
    assert!(
        sources.len() >= 12,
        "programs are missing from {}",
        folder.display()
    );
    sources
}

/// Runs a command and returns what it printed.
fn run(command: &mut Command) -> Result<String, String> {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() {
        Ok(String::from_utf8_lossy(&stdout).into_owned())
    } else {
        Err(format!(
            "{command:?}: {status}\n{}",
            String::from_utf8_lossy(&stderr)
        ))
    }
}

/// What the program computes outside any sandbox.
fn native_sum(source: &Path, folder: &Path) -> Result<u64, String> {
    let (main, object) = (folder.join("main.c"), folder.join("native.o"));
    let program = folder.join("native");
    fs::write(&main, NATIVE_MAIN.replace("SEED", &SEED.to_string()))
        .map_err(|error| error.to_string())?;
    let flags = ["-O1", "-fno-exceptions", "-c", "-o"];
    run(GCC.compile(source).args(flags).arg(&object))?;
    run(Command::new("g++")
        .args(["-x", "c"])
        .arg(&main)
        .args(["-x", "none"])
        .arg(&object)
        .args(["-o", &program.to_string_lossy()]))?;
    let printed = run(&mut Command::new(&program))?;
    u64::from_str_radix(printed.trim(), 16).map_err(|error| error.to_string())
}

/// What the program computes in a sandbox.
fn sandboxed_sum(engine: &Engine, compile: &mut Command, folder: &Path) -> Result<u64, String> {
    let [assembly, instrumented, object] = ["a.s", "a.misfit", "a.o"].map(|name| folder.join(name));
    run(compile.arg("-S").arg("-o").arg(&assembly))?;
    let text = fs::read_to_string(&assembly).map_err(|error| error.to_string())?;
    let text = misfit::instrument(&text, &Options::ALL).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        format!("misfit: {}", lines.join("\n"))
    })?;
    fs::write(&instrumented, text).map_err(|error| error.to_string())?;
    run(Command::new("as").arg(&instrumented).arg("-o").arg(&object))?;
    let bytes = fs::read(&object).map_err(|error| error.to_string())?;
    let decoded =
        DecodedImage::decode(&bytes, &Limits::default()).map_err(|error| error.to_string())?;
    let linked = decoded
        .link(&mut |_| None)
        .map_err(|error| error.to_string())?;
    let config = InstanceConfig {
        stack_bytes: STACK_BYTES,
        deadline: DEADLINE,
        ..InstanceConfig::default()
    };
    let mut instance = Instance::load(engine, linked, config).map_err(|error| error.to_string())?;
    let entry = instance
        .entry("corpus_run")
        .ok_or("corpus_run is not an entry")?;
    instance
        .call(entry, &[SEED], &mut NoHost)
        .map_err(|fault| fault.to_string())
}

/// What each program of the corpus computes outside any sandbox.
static NATIVE_SUMS: LazyLock<Vec<(PathBuf, u64)>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sum = |source: PathBuf| match native_sum(&source, folder.path()) {
        Ok(sum) => (source, sum),
        Err(error) => panic!("the corpus runs natively: {error}"),
    };
    corpus().into_iter().map(sum).collect()
});

/// Builds and runs the corpus with one compiler and one set of flags.
fn check(compiler: &Compiler, flags: &Flags) {
    if !compiler.exists() {
        eprintln!(
            "notice: {} is not installed, its output is not tested",
            compiler.c
        );
        return;
    }
    let engine = Engine::new().expect("this machine runs grafts");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut failures = Vec::new();
    for (source, native) in NATIVE_SUMS.iter() {
        for level in flags.levels {
            let mut compile = compiler.compile(source);
            compile.arg(level).args(compiler.flags).args(flags.flags);
            let name = source.file_name().unwrap_or_default().to_string_lossy();
            let what = format!("{name}, {} {level}", compiler.c);
            match sandboxed_sum(&engine, &mut compile, folder.path()) {
                Ok(sum) if sum == *native => {}
                Ok(sum) => failures.push(format!("{what}: {sum:#x} instead of {native:#x}")),
                Err(error) => failures.push(format!("{what}: {error}")),
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn gcc_output_runs_in_a_sandbox() {
    check(&GCC, &GRAFT);
}

#[test]
fn clang_output_runs_in_a_sandbox() {
    check(&CLANG, &GRAFT);
}

#[test]
fn gcc_output_with_nearly_no_flags_runs_in_a_sandbox() {
    check(&GCC, &BARE);
}

#[test]
fn clang_output_with_nearly_no_flags_runs_in_a_sandbox() {
    check(&CLANG, &BARE);
}

/// Whether this machine runs what [`WIDE`] asks for.
fn has_wide_vectors() -> bool {
    let has = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("popcnt");
    if !has {
        eprintln!("notice: this processor lacks AVX2 or BMI, code for them is not tested");
    }
    has
}

#[test]
fn gcc_output_with_avx2_runs_in_a_sandbox() {
    if has_wide_vectors() {
        check(&GCC, &WIDE);
    }
}

#[test]
fn clang_output_with_avx2_runs_in_a_sandbox() {
    if has_wide_vectors() {
        check(&CLANG, &WIDE);
    }
}

#[test]
fn gcc_output_with_hardening_runs_in_a_sandbox() {
    check(&GCC, &HARDENED);
}

#[test]
fn clang_output_with_hardening_runs_in_a_sandbox() {
    check(&CLANG, &HARDENED);
}
