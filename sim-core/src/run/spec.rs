//! What a run is made of: its specification, its recorded inputs and why it could not start.
use std::sync::Arc;

use crate::config::{ConfigError, KernelConfig};
use crate::event::{AbortReason, Event, LogLevel};
use crate::graft::GraftRejected;
use crate::ids::TxnId;
use crate::workload::Trace;

/// The references that one process makes.
#[derive(Clone, Debug)]
pub struct Workload {
    /// The name of the process.
    pub process: String,
    /// Its references.
    pub trace: Arc<Trace>,
}

/// A graft to attach before the first reference.
///
/// Entries with the same name, process and object are one graft that serves several points: it has
/// one sandbox, its functions share their state, and it is removed from all points at once.
#[derive(Clone, Debug)]
pub struct GraftSpec {
    /// The name under which it appears in events.
    pub name: String,
    /// The graft point, such as `vas_o::pick_victim`.
    pub point: String,
    /// The process that installs it; `kernel` for global points.
    pub process: String,
    /// Its object file.
    pub object: Arc<[u8]>,
    /// Where its sandbox should be, so that a replay shows it the same pointers.
    pub base_hint: Option<u64>,
}

/// How the CPU ended an invocation in the run that is replayed.
///
/// The invocation is not executed again, since an aborted transaction changed nothing: its verdict
/// is all there is to replay. If other grafts were asked inside it, it is executed as far as that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedVerdict {
    /// The transaction that was aborted.
    pub txn: TxnId,
    /// Why.
    pub reason: AbortReason,
    /// What the event said.
    pub fault: String,
    /// Transactions that had begun directly inside it.
    pub children: u32,
    /// Changes that had been undone.
    pub undo_records: u32,
}

impl RecordedVerdict {
    /// The verdict that an event records, if it is an abort that the CPU decided.
    pub fn from_event(event: &Event) -> Option<RecordedVerdict> {
        match event {
            Event::TxnAborted {
                txn,
                children,
                reason,
                fault,
                undo_records,
                ..
            } if reason.is_verdict() => Some(RecordedVerdict {
                txn: *txn,
                reason: *reason,
                fault: fault.clone(),
                children: *children,
                undo_records: *undo_records,
            }),
            _ => None,
        }
    }
}

/// Everything a run depends on.
#[derive(Clone, Debug)]
pub struct RunSpec {
    /// The kernel.
    pub kernel: KernelConfig,
    /// What its processes do; a process without a workload does nothing.
    pub workloads: Vec<Workload>,
    /// The grafts that are attached from the start.
    pub grafts: Vec<GraftSpec>,
    /// Which events are emitted.
    pub log: LogLevel,
    /// Recorded with the run; nothing in the kernel is random yet.
    pub seed: u64,
    /// How the CPU ended invocations; empty unless replaying.
    pub verdicts: Vec<RecordedVerdict>,
}

/// Why a run could not start.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The kernel cannot be built.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No process does anything.
    #[error("no workload: a run needs a trace for at least one process")]
    NoWorkload,
    /// A workload or a graft names a process that is not there.
    #[error("unknown process {process:?}: the kernel has {}", .known.join(", "))]
    UnknownProcess {
        /// What was named.
        process: String,
        /// The processes there are.
        known: Vec<String>,
    },
    /// Two workloads are for one process.
    #[error("process {process:?} has two workloads: a process runs one trace")]
    DuplicateWorkload {
        /// The process.
        process: String,
    },
    /// A graft names a point that is not there.
    #[error("graft {graft:?}: unknown graft point {point:?}; did you mean {nearest:?}?")]
    UnknownPoint {
        /// The graft.
        graft: String,
        /// What was named.
        point: String,
        /// The nearest point there is.
        nearest: &'static str,
    },
    /// Two grafts want the same point.
    #[error("graft point {point} of {process} is taken by graft {holder:?}: unload it first")]
    PointTaken {
        /// The point.
        point: &'static str,
        /// Whose it is.
        process: String,
        /// The graft that has it.
        holder: String,
    },
    /// A process asks for a global point, or the kernel for one of a process.
    #[error("graft {graft:?}: {point} is attached for {wanted}, not for {process:?}")]
    WrongScope {
        /// The graft.
        graft: String,
        /// The point.
        point: &'static str,
        /// For whom it can be attached.
        wanted: &'static str,
        /// For whom it was to be attached.
        process: String,
    },
    /// An object file is no graft.
    #[error("graft {graft:?} was rejected")]
    Rejected {
        /// The graft.
        graft: String,
        /// Why.
        #[source]
        reason: GraftRejected,
    },
    /// The machine has no room for a sandbox or a page view.
    #[error("{what} could not be set up: {problem}")]
    Resources {
        /// What was needed.
        what: String,
        /// What the system said.
        problem: String,
    },
    /// A transaction was aborted twice, according to the recorded verdicts.
    #[error("two verdicts of {txn}: the record is damaged")]
    TwoVerdicts {
        /// The transaction.
        txn: TxnId,
    },
}
