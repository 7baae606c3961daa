//! Runs: a kernel, its workloads and its grafts, stepped until the workloads end.
mod spec;

pub use spec::{GraftSpec, RecordedVerdict, RunError, RunSpec, Workload};

use crate::Engine;
use crate::event::{Counters, EventSink, SinkClosed};

/// Every so many invocations one is timed by the host.
pub const METER_EVERY: u64 = 256;

/// The host's stopwatch around one invocation in [`METER_EVERY`].
pub trait Meter {
    /// An invocation begins.
    fn start(&mut self);
    /// The invocation that began last has ended.
    fn stop(&mut self);
}

/// A stopwatch that nobody reads.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMeter;

impl Meter for NoMeter {
    fn start(&mut self) {}
    fn stop(&mut self) {}
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is more to do.
    Running {
        /// References made so far.
        references: u64,
    },
    /// The workloads have ended and the last chunk of events was handed over.
    Finished,
}

/// Why a step failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// The events are not wanted any more.
    #[error(transparent)]
    Sink(#[from] SinkClosed),
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// What happened how often.
    pub counters: Counters,
    /// Events emitted.
    pub events: u64,
    /// Hash of the canonical encoding of all events.
    pub event_digest: [u8; 32],
    /// Hash of the kernel's state.
    pub state_digest: [u8; 32],
    /// Grafts that were removed, by name, with the abort that removed them.
    pub removed: Vec<String>,
}

/// One run.
#[derive(Debug)]
pub struct Run {
    references_total: u64,
}

impl Run {
    /// Builds the kernel, verifies and attaches the grafts.
    pub fn new(spec: RunSpec, engine: &Engine) -> Result<Run, RunError> {
        let _ = engine;
        spec.kernel.validate()?;
        Ok(Run {
            references_total: 0,
        })
    }

    /// Makes up to `references_max` references, handing over chunks of events as they fill.
    pub fn step(
        &mut self,
        references_max: u64,
        sink: &mut dyn EventSink,
        meter: &mut dyn Meter,
    ) -> Result<Progress, StepError> {
        let _ = (references_max, sink, meter);
        Ok(Progress::Finished)
    }

    /// References that all workloads hold.
    pub fn references_total(&self) -> u64 {
        self.references_total
    }

    /// Where the sandboxes of the grafts are, in the order of the specification.
    pub fn bases(&self) -> Vec<u64> {
        Vec::new()
    }

    /// What the run came to so far.
    pub fn summary(&self) -> Summary {
        Summary {
            counters: Counters::default(),
            events: 0,
            event_digest: [0; 32],
            state_digest: [0; 32],
            removed: Vec::new(),
        }
    }
}
