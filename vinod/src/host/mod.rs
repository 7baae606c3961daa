//! What the daemon does, without gRPC: kernels, grafts, traces, runs and replays.
//!
//! ```text
//!  rpc/  --blocking task-->  Host  --run number-->  supervisor thread, one for each kernel
//!                             |                       |  job            ^  messages
//!                           store                     v                 |
//!                                                   kernel thread: sim_core::Run and nothing else
//! ```
//!
//! A kernel thread knows neither store nor clients: a [`kernel::Job`] goes in, messages come out,
//! over bounded queues, so that it can become a process of its own. Everything here blocks; the
//! methods of [`Host`] are called from blocking tasks.

mod error;
mod events;
mod grafts;
mod kernel;
mod kernels;
mod live;
mod logs;
mod meter;
mod replay;
mod runs;
mod settings;
mod supervisor;
mod traces;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use sim_core::Engine;

pub use error::HostError;
pub(crate) use events::{EventFilter, EventKind, EventNames, Selected};
pub(crate) use grafts::{LoadGraft, find_point};
pub(crate) use live::{LiveRun, RunProgress};
pub(crate) use replay::{Divergence, ReplayReport};
pub(crate) use runs::{RunList, SubmitRun};
pub(crate) use settings::KernelDraft;
pub(crate) use traces::ImportTrace;

use crate::store::{RunEnd, RunRecord, RunState, Store};

/// Longest name of a kernel, graft or trace, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 64;
/// Most kernels of one daemon; each has two threads.
pub(crate) const KERNELS_MAX: usize = 256;
/// Most grafts of one kernel, those no longer attached included.
pub(crate) const GRAFTS_MAX: usize = 1024;
/// Names listed in a message when one is not found.
const KNOWN_NAMES_MAX: usize = 20;

/// The daemon's state and everything that can be asked of it.
#[derive(Debug)]
pub(crate) struct Host {
    store: Store,
    engine: Engine,
    started_ms: u64,
    supervisors: Mutex<BTreeMap<String, supervisor::Supervisor>>,
    live: live::LiveRuns,
    logs: logs::OpenLogs,
    traces: traces::TraceCache,
}

impl Host {
    /// Takes over a store: runs that an earlier daemon left unfinished are marked interrupted.
    ///
    /// # Errors
    ///
    /// Fails if the store or the executor of grafts does.
    pub(crate) fn open(store: Store) -> Result<Arc<Host>, HostError> {
        let engine = Engine::new().map_err(HostError::engine)?;
        if let Some(notice) = engine.notice() {
            tracing::warn!("grafts run slower than they could: {notice}");
        }
        let host = Arc::new(Host {
            store,
            engine,
            started_ms: now_ms(),
            supervisors: Mutex::default(),
            live: live::LiveRuns::default(),
            logs: logs::OpenLogs::default(),
            traces: traces::TraceCache::default(),
        });
        host.mark_interrupted_runs()?;
        Ok(host)
    }

    /// The store.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// When the daemon started, in milliseconds since 1970.
    pub(crate) fn started_ms(&self) -> u64 {
        self.started_ms
    }

    /// Stops every run and waits for the threads.
    pub(crate) fn shut_down(&self) {
        self.live.stop_all(live::Stop::Shutdown);
        let supervisors = std::mem::take(&mut *lock(&self.supervisors));
        for supervisor in supervisors.into_values() {
            supervisor.join();
        }
    }

    fn mark_interrupted_runs(&self) -> Result<(), HostError> {
        let catalog = self.store.catalog();
        let mut stale = Vec::new();
        catalog.scan_backwards::<RunRecord>(None, |run| {
            if !run.state.is_final() {
                stale.push(run);
            }
            true
        })?;
        if stale.is_empty() {
            return Ok(());
        }
        let mut batch = catalog.write()?;
        for mut run in stale {
            run.state = RunState::Interrupted;
            run.finished_ms = Some(now_ms());
            run.end = Some(RunEnd {
                reason: "DAEMON_ENDED".to_owned(),
                message: "the daemon ended before the run did: submit it again".to_owned(),
            });
            batch.put(&run)?;
        }
        Ok(batch.commit()?)
    }
}

/// Locks a mutex whose data is whole even if a holder panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(elapsed.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

/// Checks a name that users choose.
fn check_name(field: &'static str, name: &str) -> Result<(), HostError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(HostError::Invalid {
        field,
        problem: format!(
            "name {name:?}: a name has 1 to {NAME_BYTES_MAX} letters, digits, '-', '_' and '.'"
        ),
    })
}

#[cfg(test)]
mod tests;
