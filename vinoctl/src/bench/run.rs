//! Runs of a trace: the default policy and a graft, with the eviction log off and on.
//!
//! With the log off a run is stepped in this process and its events are dropped, which measures
//! the kernel alone. With the log on it goes through an embedded `vinod`, and its time ends when
//! the last event is durable. The cost of an invocation is the difference between two runs of a
//! loop that always evicts, with and without a graft that agrees with every proposal.

use std::convert::Infallible;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use sim_core::config::{KernelConfig, ProcessConfig};
use sim_core::event::{EventChunk, EventSink, LogLevel, SinkClosed};
use sim_core::run::{GraftSpec, NoMeter, Progress, Run, RunSpec, Summary, Workload as Work};
use sim_core::workload::{Trace, generate};
use vino_sandbox::Engine;

use super::report::{Measurement, TraceFacts, Unit};
use super::workload::Workload;
use super::{Bench, Series, clock, durable, float, thread_seconds};
use crate::failure::{Exit, Failure};
use crate::samples;

/// References handed to the kernel at once, as the daemon does.
const STEP_REFERENCES: u64 = 1 << 20;
/// The loop that always evicts: pages, frames, references.
const LOOP_PAGES: u64 = 2_048;
const LOOP_FRAMES: u32 = 1_024;
const LOOP_REFERENCES: usize = 4_000_000;
/// The part of a trace's pages that fits in memory.
const PAGES_PER_FRAME: u32 = 10;
/// The process that follows the trace.
pub(super) const PROCESS: &str = "main";

/// The objects of the grafts that runs are measured with.
#[derive(Clone, Debug)]
struct Grafts {
    trivial: Arc<[u8]>,
    example: Arc<[u8]>,
}

/// Drops events.
pub(super) struct Discard;

impl EventSink for Discard {
    fn chunk(&mut self, _chunk: EventChunk) -> Result<(), SinkClosed> {
        Ok(())
    }
}

/// What the runs in this process came to.
struct InProcess {
    results: Vec<Measurement>,
    fault_ratio: f64,
    default_policy: f64,
    example_graft: f64,
}

/// Measures runs of the trace in `file`, or of the default one.
pub(super) async fn measure(
    bench: &Arc<Bench>,
    file: Option<&Path>,
) -> Result<(TraceFacts, Vec<Measurement>), Failure> {
    let grafts = Grafts {
        trivial: samples::DEFAULT_VICTIM.build().await?.into(),
        example: samples::DATABASE_VICTIM.build().await?.into(),
    };
    let file = file.map(Path::to_path_buf);
    let workload = super::on_thread(bench, move |bench| {
        bench.progress.message("reading the trace");
        Workload::choose(file.as_deref())
    });
    let workload = Arc::new(workload.await?);
    let frames = (workload.trace.pages() / PAGES_PER_FRAME).max(1);

    let (shared, objects) = (Arc::clone(&workload), grafts.clone());
    let measured = super::on_thread(bench, move |bench| {
        InProcess::measure(bench, &shared, frames, &objects)
    });
    let InProcess {
        mut results,
        fault_ratio,
        default_policy,
        example_graft,
    } = measured.await?;
    let durable = durable::Rates::measure(bench, &workload, frames, &grafts.example).await?;
    results.push(Measurement::new(
        "run, default policy, log durable",
        (durable.default_policy, Unit::MegaReferences),
        ("the same, log off", default_policy),
        Some(8.0),
    ));
    results.push(Measurement::new(
        "run, example graft, log durable",
        (durable.example_graft, Unit::MegaReferences),
        ("the same, log off", example_graft),
        Some(6.0),
    ));
    let facts = TraceFacts {
        name: workload.name.clone(),
        requests: workload.references(),
        pages: workload.trace.pages().into(),
        frames,
        fault_ratio,
    };
    Ok((facts, results))
}

impl InProcess {
    /// Measures everything that needs no daemon.
    fn measure(
        bench: &Bench,
        workload: &Workload,
        frames: u32,
        grafts: &Grafts,
    ) -> Result<InProcess, Failure> {
        let engine = Engine::new()
            .map_err(|error| Failure::from_error("cannot start the sandbox engine", &error))?;
        let lab = Lab { bench, engine };
        let invocation = lab.invocation(&grafts.trivial)?;
        bench.progress.message("the bare CLOCK loop");
        let (floor, faults) = lab.floor(&workload.trace, frames);
        bench.progress.message("the default policy, log off");
        let (default_policy, summary) = lab.rate(&workload.trace, frames, None)?;
        if summary.counters.faults != faults {
            let message = format!(
                "the kernel's clock took {} faults where a bare CLOCK takes {faults}",
                summary.counters.faults
            );
            return Err(Failure::new(Exit::Error, message));
        }
        bench.progress.message("the example graft, log off");
        let (example_graft, _) = lab.rate(&workload.trace, frames, Some(&grafts.example))?;
        let results = vec![
            invocation,
            Measurement::new(
                "run, default policy, log off",
                (default_policy, Unit::MegaReferences),
                ("bare CLOCK over flat arrays", floor),
                Some(40.0),
            ),
            Measurement::new(
                "run, example graft, log off",
                (example_graft, Unit::MegaReferences),
                ("default policy, log off", default_policy),
                Some(15.0),
            ),
        ];
        let fault_ratio = float(faults) / float(workload.references());
        Ok(InProcess {
            results,
            fault_ratio,
            default_policy,
            example_graft,
        })
    }
}

/// Runs kernels in this process, with the log off.
struct Lab<'a> {
    bench: &'a Bench,
    engine: Engine,
}

impl Lab<'_> {
    /// What an invocation adds to an eviction.
    fn invocation(&self, object: &Arc<[u8]>) -> Result<Measurement, Failure> {
        self.bench.progress.message("a committed invocation");
        let trace = generate::cyclic(LOOP_REFERENCES, LOOP_PAGES)
            .map_err(|error| Failure::from_error("cannot generate a trace", &error))?;
        let trace = Arc::new(trace);
        let (without, _) = self.rate(&trace, LOOP_FRAMES, None)?;
        let (with, summary) = self.rate(&trace, LOOP_FRAMES, Some(object))?;
        let counters = &summary.counters;
        if counters.commits != counters.evictions || counters.commits == 0 {
            let message = format!(
                "{} of {} evictions were invocations that committed",
                counters.commits, counters.evictions
            );
            return Err(Failure::new(Exit::Error, message));
        }
        let ns = |rate: f64| 1_000.0 / rate;
        Ok(Measurement::new(
            "committed pick_victim invocation",
            (ns(with) - ns(without), Unit::Nanoseconds),
            ("the eviction itself", ns(without)),
            Some(20.0),
        ))
    }

    /// Millions of references a second, and the faults, of CLOCK alone.
    fn floor(&self, trace: &Trace, frames: u32) -> (f64, u64) {
        let pages: Vec<u32> = trace
            .references()
            .iter()
            .map(|reference| reference.page().number())
            .collect();
        let mut faults = 0;
        let Ok(ns) = self.bench.median_ns(pages.len() as u64, || {
            faults = black_box(clock::faults(black_box(&pages), trace.pages(), frames));
            Ok::<(), Infallible>(())
        });
        (1_000.0 / ns, faults)
    }

    /// Millions of references a second of a kernel, and what the last run came to.
    fn rate(
        &self,
        trace: &Arc<Trace>,
        frames: u32,
        graft: Option<&Arc<[u8]>>,
    ) -> Result<(f64, Summary), Failure> {
        let mut times = Vec::new();
        let mut summary = None;
        // The first repetition warms caches up and does not count.
        for repetition in 0..=self.bench.repetitions {
            // Building the kernel and loading the graft are not part of the run.
            let mut run = Run::new(spec(trace, frames, graft), &self.engine)
                .map_err(|error| Failure::from_error("cannot start a run", &error))?;
            let start = thread_seconds();
            complete(&mut run)?;
            if repetition > 0 {
                times.push(thread_seconds() - start);
            }
            summary = Some(run.summary());
        }
        let references = float(trace.references().len() as u64);
        let summary = summary.ok_or_else(|| Failure::new(Exit::Error, "nothing was run"))?;
        Ok((references / Series::of(times).median() / 1e6, summary))
    }
}

/// Steps a run to its end.
fn complete(run: &mut Run) -> Result<(), Failure> {
    loop {
        let progress = run
            .step(STEP_REFERENCES, &mut Discard, &mut NoMeter)
            .map_err(|error| Failure::from_error("a run stopped", &error))?;
        if progress == Progress::Finished {
            return Ok(());
        }
    }
}

/// A run of `trace` on a kernel with one process and perhaps a graft.
pub(super) fn spec(trace: &Arc<Trace>, frames: u32, graft: Option<&Arc<[u8]>>) -> RunSpec {
    let graft = graft.map(|object| GraftSpec {
        name: "bench".to_string(),
        point: samples::POINT.to_string(),
        process: PROCESS.to_string(),
        object: Arc::clone(object),
        base_hint: None,
    });
    RunSpec {
        kernel: KernelConfig {
            frames,
            processes: vec![ProcessConfig {
                name: PROCESS.to_string(),
            }],
            ..KernelConfig::default()
        },
        workloads: vec![Work {
            process: PROCESS.to_string(),
            trace: Arc::clone(trace),
        }],
        grafts: graft.into_iter().collect(),
        log: LogLevel::Lifecycle,
        seed: 0,
        verdicts: Vec::new(),
    }
}
