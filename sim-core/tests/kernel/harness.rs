//! Builds grafts, describes runs and collects what they do.
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use sim_core::config::{KernelConfig, ProcessConfig};
use sim_core::event::{Event, EventChunk, EventSink, LogLevel, SinkClosed, decode_chunk};
use sim_core::run::{GraftSpec, NoMeter, Progress, Run, RunSpec, Summary, Workload};
use sim_core::workload::generate::{Random, disk_like};
use sim_core::workload::{Trace, TraceBuilder, TraceFormat, TraceLimits, read_trace};
use vino_sandbox::Engine;
use vino_toolchain::{Compiler, Language, Recipe, Workshop};

pub(crate) const PICK_VICTIM: &str = "vas_o::pick_victim";
pub(crate) const STOP_PAGEOUT: &str = "pm_mgr::stop_pageout";
pub(crate) const AWAKE_PAGEDAEMON: &str = "pm_mgr::awake_pagedaemon";
pub(crate) const SWAP_PAGEOUT_ORDER: &str = "pm_mgr::swap_pageout_order";

pub(crate) fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::new().expect("an engine"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A graft of the SDK's examples.
pub(crate) fn example(name: &str) -> Arc<[u8]> {
    build(&root().join("graft-sdk/examples").join(name), true)
}

/// A graft of this test.
pub(crate) fn own(name: &str) -> Arc<[u8]> {
    build(&own_source(name), true)
}

/// A graft of this test that `misfit` never saw.
pub(crate) fn uninstrumented(name: &str) -> Arc<[u8]> {
    build(&own_source(name), false)
}

fn own_source(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kernel/grafts");
    folder.join(name)
}

/// Builds a graft as `vinoctl graft build` does, or leaves out `misfit` and the runtime.
fn build(source: &Path, instrument: bool) -> Arc<[u8]> {
    let name = source.display();
    if !instrument {
        return compile_and_assemble(source);
    }
    let built = vino_toolchain::build(&Recipe {
        sources: &[source.to_owned()],
        compiler: None,
        compiler_flags: &[],
        protections: &misfit::Options::ALL,
        temps_folder: None,
    });
    let built = built.unwrap_or_else(|error| panic!("{name}: {error}"));
    built.object.into()
}

fn compile_and_assemble(source: &Path) -> Arc<[u8]> {
    let mut workshop = Workshop::new().expect("a temporary folder");
    let compiler = Language::of(source).and_then(|language| Compiler::choose(language, None));
    let compiler = compiler.expect("compilers are installed");
    let assembly = workshop.compile(&compiler, source, &[]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (input, object) = (folder.path().join("graft.s"), folder.path().join("graft.o"));
    std::fs::write(&input, assembly.expect("it compiles")).expect("assembly");
    let assembled = Command::new("as")
        .arg(&input)
        .arg("-o")
        .arg(&object)
        .status();
    assert!(assembled.expect("the assembler is installed").success());
    std::fs::read(&object).expect("an object").into()
}

/// The trace that the repository ships.
pub(crate) fn sqlite() -> Arc<Trace> {
    let path = root().join("traces/self-ftrace-sqlite.pages.txt.zst");
    let compressed = std::fs::read(path).expect("the shipped trace");
    let text = zstd::decode_all(&compressed[..]).expect("zstd");
    let trace = read_trace(&text[..], TraceFormat::Pages, TraceLimits::default());
    Arc::new(trace.expect("a trace"))
}

/// A small trace with the shape of a disk workload.
pub(crate) fn small_trace(seed: u64) -> Arc<Trace> {
    Arc::new(disk_like(20_000, 1_000, 300, seed).expect("a trace"))
}

/// A small trace in which every third reference writes.
pub(crate) fn writing_trace(seed: u64) -> Arc<Trace> {
    let mut random = Random::new(seed);
    let mut builder = TraceBuilder::new(TraceLimits::default());
    for _ in 0..5_000 {
        let write = random.below(3) == 0;
        builder
            .push(random.below(400), write)
            .expect("within limits");
    }
    Arc::new(builder.finish().expect("a trace"))
}

pub(crate) fn graft(name: &str, point: &str, process: &str, object: &Arc<[u8]>) -> GraftSpec {
    GraftSpec {
        name: name.to_owned(),
        point: point.to_owned(),
        process: process.to_owned(),
        object: Arc::clone(object),
        base_hint: None,
    }
}

/// A run of one process, named `db`, that logs everything.
pub(crate) fn spec(trace: &Arc<Trace>, frames: u32) -> RunSpec {
    let name = "db".to_owned();
    RunSpec {
        kernel: KernelConfig {
            frames,
            processes: vec![ProcessConfig { name: name.clone() }],
            ..KernelConfig::default()
        },
        workloads: vec![Workload {
            process: name,
            trace: Arc::clone(trace),
        }],
        grafts: Vec::new(),
        log: LogLevel::Evictions,
        seed: 0,
        verdicts: Vec::new(),
    }
}

/// The same with a graft on `vas_o::pick_victim` of `db`.
pub(crate) fn spec_with(trace: &Arc<Trace>, frames: u32, object: &Arc<[u8]>) -> RunSpec {
    let mut spec = spec(trace, frames);
    spec.grafts = vec![graft("g", PICK_VICTIM, "db", object)];
    spec
}

#[derive(Debug, Default)]
struct Collect(Vec<EventChunk>);

impl EventSink for Collect {
    fn chunk(&mut self, chunk: EventChunk) -> Result<(), SinkClosed> {
        self.0.push(chunk);
        Ok(())
    }
}

/// What a run did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) chunks: Vec<EventChunk>,
    pub(crate) events: Vec<Event>,
    pub(crate) summary: Summary,
}

impl Ran {
    /// The events that `pick` wants, in order.
    pub(crate) fn all<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Vec<T> {
        self.events.iter().filter_map(pick).collect()
    }
}

/// Runs to the end in steps of `step` references, checking what must hold.
pub(crate) fn run_in_steps(spec: RunSpec, step: u64) -> Ran {
    let mut run = Run::new(spec, engine()).expect("a run");
    let mut sink = Collect::default();
    while run
        .step(step, &mut sink, &mut NoMeter)
        .expect("an open sink")
        != Progress::Finished
    {
        run.kernel().check_invariants().expect("invariants hold");
    }
    run.kernel().check_invariants().expect("invariants hold");
    let Collect(chunks) = sink;
    let mut events = Vec::new();
    for chunk in &chunks {
        assert_eq!(chunk.first_seq, events.len() as u64, "chunks have no gap");
        for event in decode_chunk(chunk.first_seq, &chunk.bytes) {
            let (seq, event) = event.expect("the encoding reads back");
            assert_eq!(seq, events.len() as u64);
            events.push(event);
        }
        let end = chunk.first_seq + u64::from(chunk.count);
        assert_eq!(end, events.len() as u64, "the chunk counts its events");
    }
    let summary = run.summary();
    assert_eq!(summary.events, events.len() as u64);
    Ran {
        chunks,
        events,
        summary,
    }
}

pub(crate) fn run(spec: RunSpec) -> Ran {
    run_in_steps(spec, 1 << 14)
}
