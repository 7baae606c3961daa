//! The kernel thread: executes one job after the other and tells what happens, nothing else.
//!
//! Jobs and messages are all that passes, over bounded queues. The thread has neither files nor
//! sockets, and its clocks never reach what a run does: one times invocations, one decides how
//! often the stop flag is looked at.

use std::{
    sync::mpsc::{Receiver, SyncSender, TrySendError},
    time::{Duration, Instant},
};

use sim_core::{
    Engine,
    event::{EventChunk, EventSink, SinkClosed},
    run::{Progress, Run, RunSpec, Summary},
};

use super::{
    live::{Stop, StopFlag},
    meter::Stopwatch,
};
use crate::error_chain;

/// Most references between two looks at the stop flag; with a graft that uses all of the default
/// deadline each time, ten seconds, after which slices are short.
const SLICE_REFERENCES_MAX: u64 = 1024;
/// A slice that takes longer is followed by a shorter one.
const SLICE_TIME_MAX: Duration = Duration::from_millis(10);
/// Time between two reports of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(20);
/// Messages that may wait for the supervisor.
pub(super) const MESSAGES_QUEUED_MAX: usize = 16;

/// One run to execute.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) spec: RunSpec,
    pub(super) stop: StopFlag,
    pub(super) messages: SyncSender<Message>,
}

/// What the kernel tells about the current job; [`Message::Ended`] is the last.
#[derive(Debug)]
pub(super) enum Message {
    /// The kernel is built and the grafts are attached, their sandboxes at these addresses.
    Started { bases: Vec<u64> },
    /// Events happened.
    Chunk(EventChunk),
    /// So many references were made.
    Progress { references: u64 },
    /// Nothing more will happen.
    Ended(End),
}

/// How a job ended.
#[derive(Debug)]
pub(super) enum End {
    /// The workloads ended.
    Finished {
        summary: Box<Summary>,
        ns_per_invocation: f64,
    },
    /// Somebody wished it.
    Stopped {
        stop: Stop,
        summary: Box<Summary>,
        ns_per_invocation: f64,
    },
    /// It could not start, or nobody takes its messages.
    Failed { message: String },
}

/// Executes jobs until every sender is gone.
pub(super) fn run_kernel(engine: &Engine, jobs: &Receiver<Job>) {
    while let Ok(job) = jobs.recv() {
        let messages = job.messages.clone();
        let end = execute(engine, job);
        // A supervisor that is gone needs no answer.
        let _ = messages.send(Message::Ended(end));
    }
}

/// Hands chunks over, and waits while the queue is full.
struct Sink<'a>(&'a SyncSender<Message>);

impl EventSink for Sink<'_> {
    fn chunk(&mut self, chunk: EventChunk) -> Result<(), SinkClosed> {
        self.0.send(Message::Chunk(chunk)).map_err(|_| SinkClosed)
    }
}

fn execute(engine: &Engine, job: Job) -> End {
    let failed = |error: &dyn std::error::Error| End::Failed {
        message: error_chain(error),
    };
    let mut run = match Run::new(job.spec, engine) {
        Ok(run) => run,
        Err(error) => return failed(&error),
    };
    let bases = run.bases();
    if job.messages.send(Message::Started { bases }).is_err() {
        return failed(&SinkClosed);
    }
    let mut watch = Stopwatch::new();
    let mut pace = Pace::new();
    loop {
        if let Some(stop) = job.stop.get() {
            if let Err(error) = run.stop(&mut Sink(&job.messages)) {
                return failed(&error);
            }
            return End::Stopped {
                stop,
                summary: Box::new(run.summary()),
                ns_per_invocation: watch.ns_per_invocation(),
            };
        }
        match run.step(pace.slice(), &mut Sink(&job.messages), &mut watch) {
            Ok(Progress::Running { references }) => {
                if pace.advance() && !report(&job.messages, references) {
                    return failed(&SinkClosed);
                }
            }
            Ok(Progress::Finished) => {
                return End::Finished {
                    summary: Box::new(run.summary()),
                    ns_per_invocation: watch.ns_per_invocation(),
                };
            }
            Err(error) => return failed(&error),
        }
    }
}

/// Tells how many references were made, if the supervisor keeps up; false if it is gone.
fn report(messages: &SyncSender<Message>, references: u64) -> bool {
    let sent = messages.try_send(Message::Progress { references });
    !matches!(sent, Err(TrySendError::Disconnected(_)))
}

/// How long slices are, so that a slow graft does not keep a kernel from being stopped.
///
/// The clock decides only where a run can be stopped: what happens in it, and where its chunks of
/// events end, does not depend on how it is sliced.
struct Pace {
    references: u64,
    slice_began: Instant,
    reported: Instant,
}

impl Pace {
    fn new() -> Pace {
        let now = Instant::now();
        Pace {
            references: SLICE_REFERENCES_MAX,
            slice_began: now,
            reported: now,
        }
    }

    /// References of the next slice.
    fn slice(&self) -> u64 {
        self.references
    }

    /// Ends a slice; true when it is time to report progress.
    fn advance(&mut self) -> bool {
        let now = Instant::now();
        self.references = match now - self.slice_began {
            elapsed if elapsed > SLICE_TIME_MAX => (self.references / 8).max(1),
            _ => (self.references * 2).min(SLICE_REFERENCES_MAX),
        };
        self.slice_began = now;
        let report = now - self.reported >= PROGRESS_INTERVAL;
        if report {
            self.reported = now;
        }
        report
    }
}
