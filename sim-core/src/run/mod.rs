//! Runs: a kernel, its workloads and its grafts, stepped until the workloads end.
//!
//! ```text
//!   RunSpec --Run::new--> Run --step, step, ...--> Finished
//!                          | chunks of events --> EventSink
//! ```
//!
//! A run is a function of its [`RunSpec`]: how it is stepped changes nothing, neither an event nor
//! where a chunk ends. Processes take turns of `quantum_references`, in the order of the
//! configuration.
mod spec;

use std::sync::Arc;

use vino_sandbox::Engine;

pub use spec::{GraftSpec, RecordedVerdict, RunError, RunSpec, Workload};

use crate::event::{Counters, Event, EventSink, SinkClosed};
use crate::ids::VasId;
use crate::kernel::{Command, Kernel, Outcome};
use crate::workload::Trace;

/// Every so many invocations one is timed by the host.
pub const METER_EVERY: u64 = 256;
/// References that are made before full chunks are handed over; it bounds what waits in memory.
const SLICE_REFERENCES: u64 = 4096;

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
    /// The run has ended and its last chunk of events was handed over.
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
    /// Hash of the canonical encoding of the events in finished chunks.
    pub event_digest: [u8; 32],
    /// Hash of the kernel's state.
    pub state_digest: [u8; 32],
    /// Names of the grafts that were removed after an abort, in that order.
    pub removed_grafts: Vec<String>,
}

/// A process's place in its trace.
#[derive(Debug)]
struct Cursor {
    vas: VasId,
    trace: Arc<Trace>,
    next: usize,
}

impl Cursor {
    fn left(&self) -> usize {
        self.trace.references().len() - self.next
    }
}

/// One run.
#[derive(Debug)]
pub struct Run {
    kernel: Kernel,
    /// Processes with something left to do, in the order of the configuration.
    cursors: Vec<Cursor>,
    /// Whose turn it is, and how many references are left of it.
    turn: usize,
    quantum_left: u64,
    references_total: u64,
    /// For each graft of the specification, where its sandbox is.
    bases: Vec<u64>,
    finished: bool,
}

impl Run {
    /// Builds the kernel, then verifies and attaches the grafts.
    ///
    /// # Errors
    ///
    /// The specification contradicts itself, a graft is rejected, or the machine lacks memory.
    pub fn new(spec: RunSpec, engine: &Engine) -> Result<Run, RunError> {
        spec.kernel.validate()?;
        if spec.workloads.is_empty() {
            return Err(RunError::NoWorkload);
        }
        let mut verdicts = spec.verdicts;
        // A child's abort is recorded before its parent's, and begins after it.
        verdicts.sort_by_key(|verdict| verdict.txn);
        let twice = verdicts.windows(2).find(|pair| pair[0].txn == pair[1].txn);
        if let Some(pair) = twice {
            return Err(RunError::TwoVerdicts { txn: pair[0].txn });
        }
        let (frames, processes) = (spec.kernel.frames, spec.kernel.processes.len());
        let quantum_left = u64::from(spec.kernel.quantum_references);
        let kernel = Kernel::new(spec.kernel, engine, spec.log, verdicts);
        let kernel = kernel.map_err(|error| RunError::Resources {
            what: format!("memory for {frames} frames"),
            problem: error.to_string(),
        })?;
        let mut run = Run {
            kernel,
            cursors: Vec::new(),
            turn: 0,
            quantum_left,
            references_total: 0,
            bases: Vec::new(),
            finished: false,
        };
        for workload in spec.workloads {
            run.map(workload)?;
        }
        run.cursors.sort_by_key(|cursor| cursor.vas);
        run.apply(Command::Note(Event::RunStarted {
            frames,
            processes: u32::try_from(processes).expect("PROCESSES_MAX fits u32"),
            references_total: run.references_total,
            seed: spec.seed,
        }))?;
        for graft in &spec.grafts {
            if let Outcome::Attached(id) = run.apply(Command::Attach(graft))? {
                run.bases.extend(run.kernel.sandbox_base(id));
            }
        }
        run.kernel.log_mut().seal();
        Ok(run)
    }

    fn apply(&mut self, command: Command<'_>) -> Result<Outcome, RunError> {
        self.kernel.apply(command, &mut NoMeter)
    }

    fn map(&mut self, workload: Workload) -> Result<(), RunError> {
        let Workload { process, trace } = workload;
        let vas = self.kernel.vas_of(&process)?;
        if self.cursors.iter().any(|cursor| cursor.vas == vas) {
            return Err(RunError::DuplicateWorkload { process });
        }
        self.references_total += trace.references().len() as u64;
        let pages = Arc::clone(&trace);
        self.apply(Command::Map { vas, trace: pages })?;
        self.cursors.push(Cursor {
            vas,
            trace,
            next: 0,
        });
        Ok(())
    }

    /// Makes up to `references_max` references, handing over chunks of events as they fill.
    ///
    /// # Errors
    ///
    /// The sink is closed; the run cannot go on then.
    pub fn step(
        &mut self,
        references_max: u64,
        sink: &mut dyn EventSink,
        meter: &mut dyn Meter,
    ) -> Result<Progress, StepError> {
        let mut budget = references_max;
        while !self.finished && budget > 0 {
            if self.cursors.is_empty() {
                self.finish();
            } else {
                budget -= self.slice(budget, meter);
            }
            self.hand_over(sink)?;
        }
        // What was sealed before the first reference is handed over even by an empty step.
        self.hand_over(sink)?;
        Ok(match self.finished {
            true => Progress::Finished,
            false => Progress::Running {
                references: self.kernel.counters().references,
            },
        })
    }

    /// Lets the process whose turn it is make some references; gives how many at most.
    fn slice(&mut self, budget: u64, meter: &mut dyn Meter) -> u64 {
        let cursor = &mut self.cursors[self.turn];
        let left = cursor.left() as u64;
        let count = budget
            .min(SLICE_REFERENCES)
            .min(self.quantum_left)
            .min(left);
        let end = cursor.next + usize::try_from(count).expect("at most a slice");
        let command = Command::Reference {
            vas: cursor.vas,
            references: &cursor.trace.references()[cursor.next..end],
        };
        let outcome = self.kernel.apply(command, meter);
        cursor.next = end;
        self.quantum_left -= count;
        match outcome {
            Ok(Outcome::Referenced { goes_on: true }) => self.pass_turn(),
            Ok(_) => self.finish(),
            Err(_) => unreachable!("only attaching a graft can fail"),
        }
        count
    }

    /// Ends the turn of the current process if its quantum is used up or its trace has ended.
    fn pass_turn(&mut self) {
        let ended = self.cursors[self.turn].left() == 0;
        if !ended && self.quantum_left > 0 {
            return;
        }
        if ended {
            self.cursors.remove(self.turn);
        } else {
            self.turn += 1;
        }
        if self.turn >= self.cursors.len() {
            self.turn = 0;
        }
        self.quantum_left = u64::from(self.kernel.config().quantum_references);
    }

    fn finish(&mut self) {
        let finished = Event::RunFinished {
            counters: self.kernel.counters(),
            state_digest: self.kernel.state_digest(),
        };
        let noted = self.apply(Command::Note(finished));
        noted.expect("only attaching a graft can fail");
        self.kernel.log_mut().seal();
        self.finished = true;
    }

    /// Hands over what the log holds of a run that is given up before its end.
    ///
    /// # Errors
    ///
    /// The sink is closed.
    pub fn stop(&mut self, sink: &mut dyn EventSink) -> Result<(), SinkClosed> {
        self.kernel.log_mut().seal();
        self.hand_over(sink)
    }

    fn hand_over(&mut self, sink: &mut dyn EventSink) -> Result<(), SinkClosed> {
        for chunk in self.kernel.log_mut().take_sealed() {
            sink.chunk(chunk)?;
        }
        Ok(())
    }

    /// References that all workloads hold.
    pub fn references_total(&self) -> u64 {
        self.references_total
    }

    /// The kernel, to look at.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Where the sandbox of each graft of the specification is, in its order.
    ///
    /// A replay passes them as hints, so that its grafts see the same pointers.
    pub fn bases(&self) -> Vec<u64> {
        self.bases.clone()
    }

    /// What the run came to so far; takes time proportional to memory.
    pub fn summary(&self) -> Summary {
        Summary {
            counters: self.kernel.counters(),
            events: self.kernel.log().events(),
            event_digest: self.kernel.log().digest(),
            state_digest: self.kernel.state_digest(),
            removed_grafts: self.kernel.removed_grafts().to_vec(),
        }
    }
}
