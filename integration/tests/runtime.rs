//! The graft runtime answers what the machine's C library answers, natively and in a sandbox.
//!
//! `runtime/exercise.c` uses the library on generated input and sums up the answers. It is built
//! three times: against the machine's C library, natively against the runtime with all names
//! prefixed, and for a sandbox; the sums of every section must be equal.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use misfit::Options;
use tempfile::TempDir;
use vino_sandbox::{
    DecodedImage, Engine, FaultKind, GraftFault, GraftMemory, Host, HostAbort, Instance,
    InstanceConfig, Limits, Policy, VerifiedImage,
};
use vino_toolchain::{Compiler, Language, Workshop};

/// The sections of `exercise.c`, in its order.
const SECTIONS: [&str; 9] = [
    "memory",
    "strings",
    "numbers",
    "formats",
    "sorting",
    "allocation",
    "128-bit integers",
    "mathematics",
    "long jumps",
];
/// Seeds with which each section runs.
const SEEDS: u64 = 4;
/// Bytes of heap that the host grants.
const HEAP_BYTES: u32 = 64 << 20;
/// No section takes a tenth of it, on any machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// The main function of the native builds, around `EXERCISE(section, seed)`.
const NATIVE_MAIN: &str = "\
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
uint64_t EXERCISE(uint32_t, uint64_t);
void *rt_vino_heap_grow(size_t bytes) {
    static char heap[64 << 20] __attribute__((aligned(4096)));
    static size_t used;
    bytes = (bytes + 4095) & ~(size_t)4095;
    if (bytes > sizeof heap - used)
        return NULL;
    used += bytes;
    return heap + used - bytes;
}
int main(void) {
    for (uint32_t section = 0; section < SECTIONS; section++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
            printf(\"%lx\\n\", EXERCISE(section, seed));
}
";

/// Grows the heap of a graft; its only host function.
struct Heap;

impl Host for Heap {
    fn call(
        &mut self,
        memory: &mut GraftMemory<'_>,
        _import: u32,
        args: &[u64; 6],
    ) -> Result<u64, HostAbort> {
        let bytes = u32::try_from(args[0]).unwrap_or(u32::MAX);
        let start = memory.grow_heap(bytes);
        Ok(start.map_or(0, |start| memory.base() + u64::from(start.offset())))
    }
}

fn program(name: &str) -> PathBuf {
    let folder = integration::repository_root().join("integration/tests/runtime");
    folder.join(name)
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("gcc and binutils are installed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).expect("tools print text")
}

/// A native program around `exercise`, under the name that it has in `object`.
fn native_sums(folder: &Path, name: &str, object: &Path) -> Vec<u64> {
    let (main, executable) = (folder.join("main.c"), folder.join("native"));
    fs::write(&main, NATIVE_MAIN).expect("writable");
    let mut gcc = Command::new("gcc");
    gcc.args(["-O1", &format!("-DEXERCISE={name}")]);
    gcc.arg(format!("-DSECTIONS={}", SECTIONS.len()));
    gcc.arg(format!("-DSEEDS={SEEDS}"));
    gcc.arg(&main).arg(object).args(["-lm", "-o"]);
    run(gcc.arg(&executable));
    let printed = run(&mut Command::new(&executable));
    let sum = |line| u64::from_str_radix(line, 16).expect("a sum");
    printed.lines().map(sum).collect()
}

/// What the machine's own C library answers.
static LIBC_SUMS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let object = folder.path().join("exercise.o");
    let mut gcc = Command::new("gcc");
    gcc.args(["-O1", "-w", "-c"]).arg(program("exercise.c"));
    run(gcc.arg("-o").arg(&object));
    native_sums(folder.path(), "exercise", &object)
});

/// Names the sections and seeds in which two columns of sums differ.
fn differences(sums: &[u64]) -> Vec<String> {
    let expected = LIBC_SUMS.iter();
    assert_eq!(sums.len(), expected.len());
    let pairs = sums.iter().zip(expected).enumerate();
    pairs
        .filter(|(_, (sum, expected))| sum != expected)
        .map(|(at, (sum, expected))| {
            let seeds = usize::try_from(SEEDS).expect("few");
            let (section, seed) = (SECTIONS[at / seeds], at % seeds + 1);
            format!("{section}, seed {seed}: {sum:#x} instead of {expected:#x}")
        })
        .collect()
}

#[test]
fn the_runtime_built_natively_answers_as_the_c_library() {
    let folder: TempDir = tempfile::tempdir().expect("a temporary folder");
    let sdk = integration::repository_root().join("graft-sdk");
    let sources = fs::read_dir(sdk.join("runtime")).expect("the runtime");
    let mut sources: Vec<PathBuf> = sources.map(|file| file.expect("a file").path()).collect();
    sources.retain(|path| path.extension().is_some_and(|ext| ext == "c" || ext == "s"));
    sources.push(program("exercise.c"));
    let objects = sources.iter().map(|source| {
        let stem = source.file_stem().expect("a name").to_string_lossy();
        let object = folder.path().join(format!("{stem}.o"));
        let mut gcc = Command::new("gcc");
        gcc.args(["-O2", "-w", "-ffreestanding", "-fno-stack-protector"]);
        gcc.arg("-I").arg(sdk.join("include")).arg("-c");
        run(gcc.arg(source).arg("-o").arg(&object));
        object
    });
    let objects: Vec<PathBuf> = objects.collect();
    let (all, prefixed) = (folder.path().join("all"), folder.path().join("prefixed.o"));
    run(Command::new("ld")
        .args(["-r", "-o"])
        .arg(&all)
        .args(objects));
    let mut objcopy = Command::new("objcopy");
    objcopy.args(["--prefix-symbols=rt_", "--redefine-sym"]);
    objcopy.arg("rt__GLOBAL_OFFSET_TABLE_=_GLOBAL_OFFSET_TABLE_");
    run(objcopy.arg(&all).arg(&prefixed));
    let sums = native_sums(folder.path(), "rt_exercise", &prefixed);
    assert_eq!(differences(&sums), Vec::<String>::new());
}

/// Builds a program of this test for a sandbox, and loads it.
fn load(engine: &Engine, source: &str, compiler: &str, level: &str) -> Instance {
    let compiler = Compiler::choose(Language::C, Some(compiler)).expect("a C compiler");
    let workshop = Workshop::new().expect("a temporary folder");
    let mut workshop = workshop.with_runtime_compiler(compiler.clone());
    let source = program(source);
    let flags = [level.to_owned(), "-w".to_owned()];
    let assembly = workshop.compile(&compiler, &source, &flags);
    let assembly = assembly.expect("it compiles");
    let object = workshop.instrument_and_assemble(&source, &assembly, &Options::ALL);
    let object = object.expect("it can be made safe");
    let linked = workshop.link(&[object], &Options::ALL).expect("it links");
    assert_eq!(linked.undefined, ["vino_heap_grow"]);
    let decoded = DecodedImage::decode(&linked.object, &Limits::default()).expect("an object");
    let image = decoded.link(&mut |name| (name == "vino_heap_grow").then_some(0));
    let config = InstanceConfig {
        stack_bytes: 1 << 20,
        heap_bytes_max: HEAP_BYTES,
        deadline: DEADLINE,
        ..InstanceConfig::default()
    };
    let image = VerifiedImage::verify(engine, image.expect("linkable"), &Policy::default());
    Instance::new(&image.expect("the verifier accepts it"), config).expect("a sandbox")
}

/// Runs every section in a fresh sandbox.
fn sandboxed_sums(compiler: &str, level: &str) -> Vec<u64> {
    let engine = Engine::new().expect("this machine runs grafts");
    let mut instance = load(&engine, "exercise.c", compiler, level);
    let exercise = instance.entry("exercise").expect("it is an entry");
    let sections = 0..SECTIONS.len() as u64;
    let all = sections.flat_map(|section| (1..=SEEDS).map(move |seed| (section, seed)));
    all.map(|(section, seed)| {
        let name = SECTIONS[usize::try_from(section).expect("few")];
        let sum = instance.call(exercise, &[section, seed], &mut Heap);
        sum.unwrap_or_else(|fault| panic!("{name}, seed {seed}: {fault}"))
    })
    .collect()
}

#[test]
fn the_runtime_of_gcc_answers_as_the_c_library_in_a_sandbox() {
    for level in ["-O0", "-O2", "-O3"] {
        let differences = differences(&sandboxed_sums("gcc", level));
        assert_eq!(differences, Vec::<String>::new(), "at {level}");
    }
}

#[test]
fn the_runtime_of_clang_answers_as_the_c_library_in_a_sandbox() {
    if Command::new("clang").arg("--version").output().is_err() {
        eprintln!("notice: clang is not installed, its output is not tested");
        return;
    }
    for level in ["-O0", "-O2"] {
        let differences = differences(&sandboxed_sums("clang", level));
        assert_eq!(differences, Vec::<String>::new(), "at {level}");
    }
}

/// Calls one function of `misuse.c` on a fresh heap.
fn misuse(function: &str) -> Result<u64, GraftFault> {
    let engine = Engine::new().expect("this machine runs grafts");
    let mut instance = load(&engine, "misuse.c", "gcc", "-O1");
    let entry = instance.entry(function);
    let entry = entry.unwrap_or_else(|| panic!("{function} is no entry"));
    instance.call(entry, &[], &mut Heap)
}

#[test]
fn misuse_of_the_heap_traps_where_it_happens() {
    for (function, place) in [
        ("free_twice", "live_block"),
        ("free_twice_merged", "live_block"),
        ("free_the_middle", "live_block"),
        ("overrun_then_free", "live_block"),
        ("give_up", "abort"),
        ("fail_an_assertion", "__assert_fail"),
    ] {
        let fault = misuse(function).expect_err(function);
        let text = fault.to_string();
        assert!(
            matches!(fault.kind, FaultKind::IllegalInstruction),
            "{function}: {text}"
        );
        // A static function may have become part of its caller.
        let named = [place, "free", "realloc"]
            .iter()
            .any(|name| text.contains(name));
        assert!(named, "{function}: {text}");
    }
}

#[test]
fn the_heap_grows_to_any_block_that_fits() {
    let refused = misuse("grow_by_large_blocks").expect("no fault");
    assert_eq!(refused, 0, "there was no block of {refused} bytes");
}

#[test]
fn memory_that_was_freed_is_used_again() {
    // Ten times the limit is asked for and given back, in pieces of many sizes.
    assert_eq!(misuse("reuse").expect("no fault"), 1);
}

#[test]
fn past_the_limit_there_is_no_memory_and_no_fault() {
    let got = misuse("exhaust").expect("no fault");
    let limit = u64::from(HEAP_BYTES);
    assert!(
        (limit / 100 * 95..=limit).contains(&got),
        "{got} of {limit}"
    );
}
