//! Fault counts against those that two independent simulators agree on.
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sim_core::config::{EvictionPolicy, KernelConfig, ProcessConfig};
use sim_core::event::{EventChunk, EventSink, LogLevel, SinkClosed};
use sim_core::run::{NoMeter, Progress, Run, RunSpec, Workload};
use sim_core::workload::{Trace, TraceFormat, TraceLimits, belady_faults, read_trace};
use vino_sandbox::Engine;

/// Traces with more requests than this are left to the benchmarks.
const REQUESTS_MAX: u64 = 600_000;

struct Ignore;

impl EventSink for Ignore {
    fn chunk(&mut self, _chunk: EventChunk) -> Result<(), SinkClosed> {
        Ok(())
    }
}

fn load(path: &Path) -> Arc<Trace> {
    let compressed = std::fs::read(path).expect("the trace is there");
    let text = zstd::decode_all(&compressed[..]).expect("zstd");
    let limits = TraceLimits::default();
    let trace = read_trace(&text[..], TraceFormat::Pages, limits).expect("a trace");
    Arc::new(trace)
}

fn faults(trace: &Arc<Trace>, policy: EvictionPolicy, frames: u32) -> u64 {
    let process = "db".to_owned();
    let spec = RunSpec {
        kernel: KernelConfig {
            frames,
            policy,
            processes: vec![ProcessConfig {
                name: process.clone(),
            }],
            ..KernelConfig::default()
        },
        workloads: vec![Workload {
            process,
            trace: Arc::clone(trace),
        }],
        grafts: Vec::new(),
        log: LogLevel::Lifecycle,
        seed: 0,
        verdicts: Vec::new(),
    };
    let engine = Engine::new().expect("an engine");
    let mut run = Run::new(spec, &engine).expect("a run");
    let step = run.step(u64::MAX, &mut Ignore, &mut NoMeter);
    assert_eq!(step, Ok(Progress::Finished));
    run.kernel().check_invariants().expect("invariants hold");
    run.summary().counters.faults
}

const CLOCK: EvictionPolicy = EvictionPolicy::TwoHandedClock { handspread: None };

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn the_shipped_trace_has_the_published_fault_counts() {
    let trace = load(&root().join("traces/self-ftrace-sqlite.pages.txt.zst"));
    assert_eq!(trace.references().len(), 148_590);
    assert_eq!(trace.pages(), 11_278);
    let counts = [
        (113, 104_643, 104_720, 102_868),
        (564, 103_836, 103_835, 98_276),
        (1_128, 103_763, 103_742, 92_675),
        (5_639, 102_028, 102_787, 52_076),
    ];
    for (frames, clock, lru, optimum) in counts {
        assert_eq!(
            faults(&trace, CLOCK, frames),
            clock,
            "clock, {frames} frames"
        );
        let got = faults(&trace, EvictionPolicy::Lru, frames);
        assert_eq!(got, lru, "lru, {frames} frames");
        assert_eq!(belady_faults(&trace, frames), optimum, "optimum, {frames}");
    }
}

#[test]
fn recorded_traces_have_the_published_fault_counts() {
    let shared = root().join("../shared/traces");
    let Ok(table) = std::fs::read_to_string(shared.join("reference_misses.csv")) else {
        println!("skipped: the shared traces are not on this machine");
        return;
    };
    let mut compared = 0;
    let mut loaded: Option<(String, Arc<Trace>)> = None;
    for row in table.lines().skip(1) {
        let fields: Vec<&str> = row.split(',').collect();
        let [name, policy, frames, requests, misses, "exact"] = fields[..] else {
            continue;
        };
        let number = |text: &str| text.parse::<u64>().expect("a number");
        if number(requests) > REQUESTS_MAX || !["CLOCK", "LRU", "Belady"].contains(&policy) {
            continue;
        }
        if loaded.as_ref().is_none_or(|(known, _)| known != name) {
            let file = format!("{name}.pages.txt.zst");
            let folders = ["own", "third-party"].map(|folder| shared.join(folder).join(&file));
            let path = folders.iter().find(|path| path.exists());
            loaded = Some((name.to_owned(), load(path.expect("a trace of the table"))));
        }
        let trace = &loaded.as_ref().expect("just loaded").1;
        let frames = u32::try_from(number(frames)).expect("a cache size");
        let got = match policy {
            "CLOCK" => faults(trace, CLOCK, frames),
            "LRU" => faults(trace, EvictionPolicy::Lru, frames),
            _ => belady_faults(trace, frames),
        };
        assert_eq!(got, number(misses), "{row}");
        compared += 1;
    }
    assert!(compared > 100, "only {compared} rows were compared");
}
