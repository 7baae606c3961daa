//! The kernel thread: executes one job after the other and tells what happens, nothing else.
//!
//! Jobs and messages are all that passes, over bounded queues. The thread has neither files nor
//! sockets; the only clock is the stopwatch around invocations.

use std::sync::mpsc::{Receiver, SyncSender};

use sim_core::{
    Engine,
    event::{EventChunk, EventSink, SinkClosed},
    run::{Progress, Run, RunSpec, StepError, Summary},
};

use super::{
    error::chain,
    live::{Stop, StopFlag},
    meter::Stopwatch,
};

/// References between two looks at the stop flag.
const SLICE_REFERENCES: u64 = 1 << 16;
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
        message: chain(error),
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
    loop {
        if let Some(stop) = job.stop.get() {
            return End::Stopped {
                stop,
                summary: Box::new(run.summary()),
                ns_per_invocation: watch.ns_per_invocation(),
            };
        }
        match step(&mut run, &job.messages, &mut watch) {
            Ok(true) => {}
            Ok(false) => {
                return End::Finished {
                    summary: Box::new(run.summary()),
                    ns_per_invocation: watch.ns_per_invocation(),
                };
            }
            Err(error) => return failed(&error),
        }
    }
}

/// Executes a slice; false when the workloads have ended.
fn step(
    run: &mut Run,
    messages: &SyncSender<Message>,
    watch: &mut Stopwatch,
) -> Result<bool, StepError> {
    match run.step(SLICE_REFERENCES, &mut Sink(messages), watch)? {
        Progress::Running { references } => {
            let sent = messages.send(Message::Progress { references });
            sent.map_err(|_| SinkClosed)?;
            Ok(true)
        }
        Progress::Finished => Ok(false),
    }
}
