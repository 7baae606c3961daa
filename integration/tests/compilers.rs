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
use vino_sandbox::{
    DecodedImage, Engine, GraftMemory, GraftSlice, Host, HostAbort, Instance, InstanceConfig,
    Limits, Policy, VerifiedImage,
};

#[path = "../../graft-sdk/misfit/tests/corpus/policy.rs"]
mod policy;

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
    levels: &["-O0", "-O1", "-O2", "-O3", "-Os", "-Oz"],
};
/// Nothing but what misfit cannot do without.
const BARE: Flags = Flags {
    flags: &["-fPIC", "-fno-exceptions"],
    levels: &["-O0", "-O2"],
};
/// Wider vectors and the bit manipulation instructions.
const WIDE: Flags = Flags {
    flags: &["-fPIC", "-fno-exceptions", "-march=x86-64-v3"],
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

/// Serves the memory functions that rustc calls; its panic functions end the invocation.
struct MemoryFunctions<'a>(&'a [String]);

impl Host for MemoryFunctions<'_> {
    fn call(
        &mut self,
        memory: &mut GraftMemory<'_>,
        import: u32,
        args: &[u64; 6],
    ) -> Result<u64, HostAbort> {
        let refused = HostAbort(import);
        let name = self.0.get(import as usize).ok_or(refused)?;
        let [to, from, bytes, ..] = *args;
        let target = GraftSlice::claim(to, bytes).ok_or(refused)?;
        let mut buffer = vec![0; usize::try_from(bytes).map_err(|_| refused)?];
        match name.as_str() {
            "memcpy" | "memmove" => {
                let source = GraftSlice::claim(from, bytes).ok_or(refused)?;
                memory.read(source, &mut buffer).map_err(|_| refused)?;
            }
            "memset" => buffer.fill(from.to_le_bytes()[0]),
            _ => return Err(refused),
        }
        memory.write(target, &buffer).map_err(|_| refused)?;
        Ok(to)
    }
}

/// What the program computes in a sandbox, given a command that prints assembly to a file.
///
/// The host serves what [`MemoryFunctions`] serves; programs of the C corpus bring their own.
fn sandboxed_sum(engine: &Engine, compile: &mut Command, folder: &Path) -> Result<u64, String> {
    let [assembly, instrumented, object] = ["a.s", "a.misfit", "a.o"].map(|name| folder.join(name));
    run(compile.arg("-o").arg(&assembly))?;
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
    let imports: Vec<String> = decoded.undefined_symbols().map(str::to_owned).collect();
    let mut resolve = |name: &str| {
        let index = imports.iter().position(|import| import == name)?;
        u32::try_from(index).ok()
    };
    let linked = decoded
        .link(&mut resolve)
        .map_err(|error| error.to_string())?;
    let config = InstanceConfig {
        stack_bytes: STACK_BYTES,
        deadline: DEADLINE,
        ..InstanceConfig::default()
    };
    let image = VerifiedImage::verify(engine, linked, &Policy::default())
        .map_err(|error| error.to_string())?;
    let mut instance = Instance::new(&image, config).map_err(|error| error.to_string())?;
    let entry = instance
        .entry("corpus_run")
        .ok_or("corpus_run is not an entry")?;
    instance
        .call(entry, &[SEED], &mut MemoryFunctions(&imports))
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
            compile
                .arg("-S")
                .arg(level)
                .args(compiler.flags)
                .args(flags.flags);
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
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("movbe");
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

/// What a Rust graft is made of, around the module that it shares with this test.
const RUST_GRAFT: &str = "\
#![no_std]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! { loop {} }
#[path = PATH]
mod policy;
#[unsafe(no_mangle)]
pub extern \"C\" fn corpus_run(seed: u64) -> u64 { policy::run(seed) }
";

#[test]
fn rustc_output_runs_in_a_sandbox() {
    let engine = Engine::new().expect("this machine runs grafts");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let module = integration::repository_root().join("graft-sdk/misfit/tests/corpus/policy.rs");
    let source = folder.path().join("graft.rs");
    let text = RUST_GRAFT.replace("PATH", &format!("{:?}", module.to_string_lossy()));
    fs::write(&source, text).expect("a file");
    for level in ["0", "1", "2", "3", "s"] {
        let mut compile = Command::new("rustc");
        compile.args([
            "--edition=2024",
            "--crate-type=lib",
            "--emit=asm",
            "-Cpanic=abort",
        ]);
        compile.args(["-Ccodegen-units=1", "-Crelocation-model=pic"]);
        compile.arg(format!("-Copt-level={level}")).arg(&source);
        let sum = sandboxed_sum(&engine, &mut compile, folder.path());
        assert_eq!(sum, Ok(policy::run(SEED)), "at level {level}");
    }
}
