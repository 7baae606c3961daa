//! The nine kernels of `vinoctl bench sandbox` as native code, in a sandbox, and in wasmtime.
//!
//! One source, one run, in turns. Native code and grafts come from gcc, WebAssembly from clang with
//! `wasm-ld` (or the command in `WASM_LD`). Prints medians of ratios to native code, and what calls
//! and new instances cost.

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use vino_sandbox::{
    DecodedImage, Engine, Instance, InstanceConfig, Limits, NoHost, Policy, VerifiedImage,
};
use wasmtime::error::Context as _;
use wasmtime::{Result, bail, ensure};

const KERNELS: &str = include_str!("../../../vinoctl/src/bench/sandbox/kernels.c");
const NATIVE: &str = include_str!("../../../vinoctl/src/bench/sandbox/native.c");
/// The compiler's flags for native code and for grafts.
const FLAGS: &str = "-O2 -fPIC -ffreestanding -fvisibility=hidden -fno-plt -fcf-protection=none \
    -fno-stack-protector -fno-asynchronous-unwind-tables -fno-exceptions -mno-mmx -mno-avx512f \
    -mno-tls-direct-seg-refs";
/// A kernel and how much of it takes some milliseconds.
const AMOUNTS: &[(&str, u64)] = &[
    ("md5", 40_000),
    ("sha256", 25_000),
    ("qsort", 60_000),
    ("quicksort", 80_000),
    ("matmul", 3),
    ("chase", 1_500_000),
    ("crc32", 2_500_000),
    ("fib", 32),
    ("hash", 2_500_000),
];
/// Turns of each kernel.
const TURNS: usize = 21;
/// Empty calls in one measurement, and instances.
const CALLS: u32 = 2_000_000;
const INSTANCES: u32 = 200;

/// Runs a compiler, whose arguments are words.
fn tool(program: &str, words: &str, folder: &Path) -> Result<()> {
    let status = Command::new(program)
        .args(words.split_whitespace())
        .current_dir(folder)
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    ensure!(status.success(), "{program} {words} failed");
    Ok(())
}

/// Builds `native`, `kernels.o` and `kernels.wasm`.
fn build(folder: &Path) -> Result<()> {
    std::fs::write(folder.join("kernels.c"), KERNELS)?;
    std::fs::write(folder.join("native.c"), NATIVE)?;
    let linker = std::env::var("WASM_LD").unwrap_or_else(|_| "wasm-ld".to_string());
    tool(
        "gcc",
        &format!("{FLAGS} kernels.c native.c -ldl -o native"),
        folder,
    )?;
    tool("gcc", &format!("{FLAGS} -fno-ipa-ra -S kernels.c"), folder)?;
    let wasm = "--target=wasm32 -O2 -ffreestanding -fvisibility=hidden";
    tool(
        "clang",
        &format!("{wasm} -Wno-unknown-attributes -c kernels.c -o wasm.o"),
        folder,
    )?;
    let link = "--no-entry --export-dynamic wasm.o -o kernels.wasm";
    tool(&linker, link, folder)?;
    let assembly = std::fs::read_to_string(folder.join("kernels.s"))?;
    let options = misfit::Options {
        indirect_calls: true,
        reads: true,
        writes: true,
        stack: true,
    };
    match misfit::instrument(&assembly, &options) {
        Ok(text) => std::fs::write(folder.join("misfit.s"), text)?,
        Err(problems) => bail!("misfit refuses the kernels: {problems:?}"),
    }
    tool("as", "misfit.s -o kernels.o", folder)
}

/// Processor time of this thread, in nanoseconds.
fn now() -> Result<f64> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Ok(Duration::try_from(time)?.as_secs_f64() * 1e9)
}

/// Nanoseconds of one of `n` operations.
fn timed(n: u32, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let start = now()?;
    for _ in 0..n {
        work()?;
    }
    Ok((now()? - start) / f64::from(n))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// One wasmtime configuration with the kernels in it.
struct Wasm {
    store: wasmtime::Store<()>,
    instance: wasmtime::Instance,
    module: wasmtime::Module,
}

impl Wasm {
    fn new(bytes: &[u8], epochs: bool) -> Result<Wasm> {
        let mut config = wasmtime::Config::new();
        config.cranelift_opt_level(wasmtime::OptLevel::Speed);
        config.epoch_interruption(epochs);
        let engine = wasmtime::Engine::new(&config)?;
        let module = wasmtime::Module::new(&engine, bytes)?;
        let mut store = wasmtime::Store::new(&engine, ());
        store.set_epoch_deadline(1 << 40);
        let instance = wasmtime::Instance::new(&mut store, &module, &[])?;
        Ok(Wasm {
            store,
            instance,
            module,
        })
    }

    fn run(&mut self, name: &str, amount: u64) -> Result<(f64, u64)> {
        let name = format!("bench_{name}");
        let function = self
            .instance
            .get_typed_func::<u64, u64>(&mut self.store, &name)?;
        let start = now()?;
        let sum = function.call(&mut self.store, amount)?;
        Ok((now()? - start, sum))
    }

    fn crossings(&mut self) -> Result<[f64; 3]> {
        let typed = self
            .instance
            .get_typed_func::<(), u64>(&mut self.store, "bench_empty")?;
        let untyped = self.instance.get_func(&mut self.store, "bench_empty");
        let untyped = untyped.context("the module lost bench_empty")?;
        let typed_ns = timed(CALLS, || {
            black_box(typed.call(&mut self.store, ())?);
            Ok(())
        })?;
        let mut result = [wasmtime::Val::I64(0)];
        let untyped_ns = timed(CALLS / 10, || {
            Ok(untyped.call(&mut self.store, &[], &mut result)?)
        })?;
        let instance_ns = timed(INSTANCES, || {
            let mut store = wasmtime::Store::new(self.module.engine(), ());
            store.set_epoch_deadline(1 << 40);
            black_box(wasmtime::Instance::new(&mut store, &self.module, &[])?);
            Ok(())
        })?;
        Ok([typed_ns, untyped_ns, instance_ns])
    }
}

/// Asks the native child for a kernel.
fn native(child: &mut Child, name: &str, amount: u64) -> Result<(f64, u64)> {
    let requests = child.stdin.as_mut().context("no way to ask")?;
    writeln!(requests, "run {name} {amount}")?;
    requests.flush()?;
    let mut line = String::new();
    let answers = child.stdout.as_mut().context("no way to answer")?;
    BufReader::new(answers).read_line(&mut line)?;
    let (ns, sum) = line
        .trim()
        .split_once(' ')
        .context("the child ended early")?;
    Ok((ns.parse()?, sum.parse()?))
}

fn sandboxed(instance: &mut Instance, name: &str, amount: u64) -> Result<(f64, u64)> {
    let entry = instance
        .entry(&format!("bench_{name}"))
        .context("no such kernel")?;
    let start = now()?;
    let sum = instance.call(entry, &[amount], &mut NoHost)?;
    Ok((now()? - start, sum))
}

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    build(folder.path())?;
    let object = std::fs::read(folder.path().join("kernels.o"))?;
    let linked = DecodedImage::decode(&object, &Limits::default())?.link(&mut |_| None)?;
    let image = VerifiedImage::verify(&Engine::new()?, linked, &Policy::default())?;
    let config = InstanceConfig {
        deadline: Duration::from_secs(60),
        ..InstanceConfig::default()
    };
    let mut instance = Instance::new(&image, config)?;
    let bytes = std::fs::read(folder.path().join("kernels.wasm"))?;
    let (mut plain, mut epochs) = (Wasm::new(&bytes, false)?, Wasm::new(&bytes, true)?);
    let mut child = Command::new(folder.path().join("native"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;

    println!("ratio to gcc -O2   vino  wasmtime  with epochs");
    let mut logs = [0.0; 3];
    for &(name, amount) in AMOUNTS {
        let mut ratios = [Vec::new(), Vec::new(), Vec::new()];
        for turn in 0..=TURNS {
            let (base, expected) = native(&mut child, name, amount)?;
            let turns = [
                sandboxed(&mut instance, name, amount)?,
                plain.run(name, amount)?,
                epochs.run(name, amount)?,
            ];
            for (list, (ns, sum)) in ratios.iter_mut().zip(turns) {
                ensure!(
                    sum == expected,
                    "{name}: {sum:#x} where native says {expected:#x}"
                );
                // The first turn warms caches up.
                if turn > 0 {
                    list.push(ns / base);
                }
            }
        }
        let medians = ratios.map(median);
        println!(
            "{name:17} {:6.3} {:9.3} {:12.3}",
            medians[0], medians[1], medians[2]
        );
        for (log, ratio) in logs.iter_mut().zip(medians) {
            *log += ratio.ln();
        }
    }
    let kernels = f64::from(u32::try_from(AMOUNTS.len())?);
    let means = logs.map(|log: f64| (log / kernels).exp());
    println!(
        "geometric mean    {:6.3} {:9.3} {:12.3}",
        means[0], means[1], means[2]
    );
    println!("published, not measured here: LFI x86-64 about 1.08, NaCl x86-64 about 1.07 (SPEC)");
    crossings(&image, &mut instance, &mut plain)?;
    drop(child.stdin.take());
    child.wait()?;
    Ok(())
}

fn crossings(image: &VerifiedImage, instance: &mut Instance, wasm: &mut Wasm) -> Result<()> {
    let entry = instance.entry("bench_empty").context("no bench_empty")?;
    let call = timed(CALLS, || {
        black_box(instance.call(entry, &[], &mut NoHost)?);
        Ok(())
    })?;
    let new = timed(INSTANCES, || {
        black_box(Instance::new(image, InstanceConfig::default())?);
        Ok(())
    })?;
    let [typed, untyped, instantiate] = wasm.crossings()?;
    println!("empty call, ns: vino {call:.1}, wasmtime typed {typed:.1}, untyped {untyped:.1}");
    let (new, instantiate) = (new / 1e3, instantiate / 1e3);
    println!("new instance and its end, us: vino {new:.1}, wasmtime on demand {instantiate:.1}");
    Ok(())
}
