//! The thread that looks after one kernel's runs: feeds the kernel, stores what it tells.
//!
//! ```text
//!  QUEUED --> RUNNING --> SUCCEEDED | FAILED | CANCELLED | INTERRUPTED
//!     \----------------------------> CANCELLED | INTERRUPTED
//! ```
//!
//! A state is in the catalog before anybody is told of it; a final one comes after the log's
//! footer.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, SyncSender},
    },
    thread::{self, JoinHandle},
    time::Instant,
};

use sim_core::run::Summary;
use tracing::{error, info};

use super::{
    Host, HostError,
    kernel::{End, Job, MESSAGES_QUEUED_MAX, Message, run_kernel},
    live::{LiveRun, Stop},
    now_ms,
};
use crate::{
    error_chain,
    store::{Chunk, LogFooter, LogWriter, RunEnd, RunRecord, RunState, RunTotals, StoreError},
};

/// Runs that may wait for one kernel.
pub(super) const RUNS_QUEUED_MAX: usize = 64;

/// The sending side of a supervisor thread.
#[derive(Debug)]
pub(super) struct Supervisor {
    runs: SyncSender<u64>,
    /// Runs queued or executing.
    pending: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Supervisor {
    /// Starts the supervisor and the kernel thread of a kernel.
    pub(super) fn start(host: &Arc<Host>, kernel: &str) -> Result<Supervisor, HostError> {
        // As many as may be pending, so that sending never waits.
        let (runs, received) = mpsc::sync_channel(RUNS_QUEUED_MAX);
        let pending = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&pending);
        let (jobs, job_queue) = mpsc::sync_channel(1);
        let engine = host.engine.clone();
        let failed = |error: std::io::Error| HostError::Machine {
            what: "cannot start a kernel thread",
            problem: error.to_string(),
        };
        let kernel_thread = thread::Builder::new()
            .name(format!("kernel-{kernel}"))
            .spawn(move || run_kernel(&engine, &job_queue))
            .map_err(failed)?;
        let host = Arc::downgrade(host);
        let thread = thread::Builder::new()
            .name(format!("super-{kernel}"))
            .spawn(move || {
                supervise(&host, &received, &counter, &jobs);
                drop(jobs);
                if kernel_thread.join().is_err() {
                    error!("a kernel thread panicked");
                }
            })
            .map_err(failed)?;
        Ok(Supervisor {
            runs,
            pending,
            thread,
        })
    }

    /// Runs queued or executing.
    pub(super) fn pending(&self) -> usize {
        self.pending.load(Ordering::Relaxed)
    }

    /// Reserves a place in the queue, which also keeps the kernel from being deleted.
    pub(super) fn reserve(&self, kernel: &str) -> Result<(), HostError> {
        let relaxed = Ordering::Relaxed;
        let more = |pending| (pending < RUNS_QUEUED_MAX).then_some(pending + 1);
        match self.pending.fetch_update(relaxed, relaxed, more) {
            Ok(_) => Ok(()),
            Err(_) => Err(HostError::Limit {
                subject: "queued runs",
                problem: format!(
                    "{RUNS_QUEUED_MAX} runs wait for kernel {kernel:?}: try again when one is \
                     finished"
                ),
            }),
        }
    }

    /// Gives a reserved place back.
    pub(super) fn release(&self) {
        self.pending.fetch_sub(1, Ordering::Relaxed);
    }

    /// Queues a run in a reserved place.
    pub(super) fn enqueue(&self, run: u64) -> Result<(), HostError> {
        self.runs.try_send(run).map_err(|_| {
            self.release();
            HostError::ShuttingDown
        })
    }

    /// Waits until the queue is worked off.
    pub(super) fn join(self) {
        drop(self.runs);
        if self.thread.join().is_err() {
            error!("a supervisor thread panicked");
        }
    }
}

fn supervise(
    host: &Weak<Host>,
    runs: &Receiver<u64>,
    pending: &AtomicUsize,
    jobs: &SyncSender<Job>,
) {
    while let Ok(number) = runs.recv() {
        let Some(host) = host.upgrade() else {
            return;
        };
        if let Err(problem) = host.execute(number, jobs) {
            // The record stays as it is; the next boot marks the run interrupted.
            error!(run = number, error = %problem, "cannot record how a run ended");
        }
        pending.fetch_sub(1, Ordering::Relaxed);
        host.live.end(number);
    }
}

/// What became of a run.
struct Outcome {
    state: RunState,
    totals: Option<RunTotals>,
    end: Option<RunEnd>,
    /// Names of the grafts that the kernel removed.
    removed: Vec<String>,
}

impl Outcome {
    fn failed(reason: &str, message: String) -> Outcome {
        Outcome {
            state: RunState::Failed,
            totals: None,
            end: Some(RunEnd {
                reason: reason.to_owned(),
                message,
            }),
            removed: Vec::new(),
        }
    }

    fn stopped(stop: Stop) -> Outcome {
        let (state, end) = match stop {
            Stop::Cancelled => (RunState::Cancelled, None),
            Stop::Shutdown => {
                let end = RunEnd {
                    reason: "DAEMON_ENDED".to_owned(),
                    message: "the daemon was shut down: submit the run again".to_owned(),
                };
                (RunState::Interrupted, Some(end))
            }
        };
        Outcome {
            state,
            totals: None,
            end,
            removed: Vec::new(),
        }
    }

    fn store_failed(error: &StoreError) -> Outcome {
        let reason = match error {
            StoreError::DiskFull { .. } => "DISK_FULL",
            _ => "STORE_FAILED",
        };
        Outcome::failed(reason, error_chain(error))
    }
}

impl Host {
    /// Executes one run from the queue and records how it ended.
    fn execute(&self, number: u64, jobs: &SyncSender<Job>) -> Result<(), HostError> {
        let Some(live) = self.live.get(number) else {
            return Ok(());
        };
        let mut record = self.run(number)?;
        if record.state.is_final() {
            return Ok(());
        }
        let outcome = match live.stop_flag().get() {
            Some(stop) => Outcome::stopped(stop),
            None => {
                info!(run = %record.id(), kernel = %record.kernel, "run starts");
                match self.start_and_follow(&mut record, &live, jobs) {
                    Ok(outcome) => outcome,
                    Err(HostError::Store(error)) => Outcome::store_failed(&error),
                    Err(error) => Outcome::failed("INPUT_LOST", error_chain(&error)),
                }
            }
        };
        record.state = outcome.state;
        let progress = live.progress();
        record.references = progress.references;
        record.events_durable = progress.durable;
        if let Some(totals) = &outcome.totals {
            record.references = totals.references;
            record.events_durable = totals.events;
        }
        record.totals = outcome.totals;
        record.end = outcome.end;
        record.finished_ms = Some(now_ms());
        self.record_end(&record, &outcome.removed)?;
        info!(run = %record.id(), state = ?record.state, "run ended");
        Ok(())
    }

    fn start_and_follow(
        &self,
        record: &mut RunRecord,
        live: &Arc<LiveRun>,
        jobs: &SyncSender<Job>,
    ) -> Result<Outcome, HostError> {
        self.drop_detached_grafts(record)?;
        let spec = self.run_spec(record, Vec::new())?;
        let log = self.logs.open(&self.store, record.number)?;
        let watched = Arc::clone(live);
        let durable = move |seq| watched.update(|progress| progress.durable = seq);
        let writer = LogWriter::spawn(log.as_ref().clone(), durable);
        let writer = writer.map_err(|error| HostError::Machine {
            what: "cannot start a log thread",
            problem: error.to_string(),
        })?;
        if !self.record_start(record)? {
            drop(writer);
            return Ok(Outcome::stopped(Stop::Cancelled));
        }

        let began = Instant::now();
        let (messages, received) = mpsc::sync_channel(MESSAGES_QUEUED_MAX);
        let job = Job {
            spec,
            stop: live.stop_flag(),
            messages,
        };
        if jobs.send(job).is_err() {
            return Ok(Outcome::failed(
                "KERNEL_FAILED",
                "the kernel thread has died: create the kernel again".to_owned(),
            ));
        }
        let end = self.follow(record, live, &writer, received)?;
        let footer = match writer.finish() {
            Ok(footer) => footer,
            Err(error) => return Ok(Outcome::store_failed(&error)),
        };
        let elapsed_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        Ok(outcome_of(end, &footer, elapsed_us))
    }

    /// Passes the kernel's messages on until it ends; `None` if it ended without a word.
    fn follow(
        &self,
        record: &mut RunRecord,
        live: &LiveRun,
        writer: &LogWriter,
        messages: Receiver<Message>,
    ) -> Result<Option<End>, HostError> {
        // The receiver is dropped on return: a kernel that still runs then stops.
        for message in messages {
            match message {
                Message::Started { bases } => {
                    for (graft, base) in record.grafts.iter_mut().zip(bases) {
                        graft.base = Some(base);
                    }
                    self.put_run(record)?;
                }
                Message::Chunk(chunk) => {
                    let chunk = Chunk {
                        first_seq: chunk.first_seq,
                        count: chunk.count,
                        bytes: chunk.bytes,
                    };
                    live.update(|progress| progress.events = chunk.next_seq());
                    if writer.append(chunk).is_err() {
                        return Ok(None);
                    }
                }
                Message::Progress { references } => {
                    live.update(|progress| progress.references = references);
                }
                Message::Ended(end) => return Ok(Some(end)),
            }
        }
        Ok(None)
    }
}

fn outcome_of(end: Option<End>, footer: &LogFooter, elapsed_us: u64) -> Outcome {
    let totals = |summary: &Summary, ns_per_invocation| {
        Some(totals_of(summary, footer, ns_per_invocation, elapsed_us))
    };
    match end {
        Some(End::Finished {
            summary,
            ns_per_invocation,
        }) => Outcome {
            state: RunState::Succeeded,
            totals: totals(&summary, ns_per_invocation),
            end: None,
            removed: summary.removed_grafts,
        },
        Some(End::Stopped {
            stop,
            summary,
            ns_per_invocation,
        }) => Outcome {
            totals: totals(&summary, ns_per_invocation),
            removed: summary.removed_grafts,
            ..Outcome::stopped(stop)
        },
        Some(End::Failed { message }) => Outcome::failed("KERNEL_FAILED", message),
        None => Outcome::failed(
            "KERNEL_FAILED",
            "the kernel thread has died: create the kernel again".to_owned(),
        ),
    }
}

fn totals_of(
    summary: &Summary,
    footer: &LogFooter,
    ns_per_invocation: f64,
    elapsed_us: u64,
) -> RunTotals {
    let counters = &summary.counters;
    RunTotals {
        references: counters.references,
        faults: counters.faults,
        failed_faults: counters.failed_faults,
        evictions: counters.evictions,
        pages_written: counters.pages_written,
        invocations: counters.invocations,
        overrides: counters.overrides,
        not_found: counters.not_found,
        commits: counters.commits,
        aborts: counters.aborts,
        events: footer.events,
        event_digest: sim_core::ids::to_hex(&summary.event_digest),
        state_digest: sim_core::ids::to_hex(&summary.state_digest),
        ns_per_invocation,
        elapsed_us,
        log_bytes: footer.bytes,
    }
}
