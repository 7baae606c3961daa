//! Runs that are queued or executing: how far they are, and how to stop them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering},
    },
};

use tokio::sync::watch;

use super::lock;

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunProgress {
    /// References made.
    pub(crate) references: u64,
    /// References of all workloads.
    pub(crate) references_total: u64,
    /// Events the kernel has emitted.
    pub(crate) events: u64,
    /// Events on disk.
    pub(crate) durable: u64,
    /// The record says how the run ended.
    pub(crate) ended: bool,
}

/// Who wants a run to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Stop {
    /// A user.
    Cancelled = 1,
    /// The daemon, which is shutting down.
    Shutdown = 2,
}

/// A wish to stop, which a kernel looks for between slices of work.
#[derive(Clone, Debug, Default)]
pub(crate) struct StopFlag(Arc<AtomicU8>);

impl StopFlag {
    /// Wishes it; the first wish counts.
    pub(crate) fn set(&self, stop: Stop) {
        let relaxed = Ordering::Relaxed;
        // A second wish finds the flag set and changes nothing.
        let _ = self.0.compare_exchange(0, stop as u8, relaxed, relaxed);
    }

    /// The wish, if there is one.
    pub(crate) fn get(&self) -> Option<Stop> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(Stop::Cancelled),
            _ => Some(Stop::Shutdown),
        }
    }
}

/// A run that is queued or executing.
#[derive(Debug)]
pub(crate) struct LiveRun {
    stop: StopFlag,
    progress: watch::Sender<RunProgress>,
}

impl LiveRun {
    /// Follows the run's progress.
    pub(crate) fn watch(&self) -> watch::Receiver<RunProgress> {
        self.progress.subscribe()
    }

    /// How far the run is now.
    pub(crate) fn progress(&self) -> RunProgress {
        *self.progress.borrow()
    }

    /// Asks the run to stop.
    pub(crate) fn stop(&self, stop: Stop) {
        self.stop.set(stop);
    }

    pub(super) fn stop_flag(&self) -> StopFlag {
        self.stop.clone()
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut RunProgress)) {
        self.progress.send_modify(change);
    }
}

/// The runs that are queued or executing, by number.
#[derive(Debug, Default)]
pub(super) struct LiveRuns(Mutex<BTreeMap<u64, Arc<LiveRun>>>);

impl LiveRuns {
    pub(super) fn insert(&self, run: u64, references_total: u64) -> Arc<LiveRun> {
        let progress = RunProgress {
            references_total,
            ..RunProgress::default()
        };
        let live = Arc::new(LiveRun {
            stop: StopFlag::default(),
            progress: watch::Sender::new(progress),
        });
        lock(&self.0).insert(run, Arc::clone(&live));
        live
    }

    pub(super) fn get(&self, run: u64) -> Option<Arc<LiveRun>> {
        lock(&self.0).get(&run).cloned()
    }

    /// Lets go of a run whose record is final, and tells those who watch it.
    pub(super) fn end(&self, run: u64) {
        let live = lock(&self.0).remove(&run);
        if let Some(live) = live {
            live.update(|progress| progress.ended = true);
        }
    }

    pub(super) fn stop_all(&self, stop: Stop) {
        for live in lock(&self.0).values() {
            live.stop(stop);
        }
    }
}
