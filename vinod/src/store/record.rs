//! The catalog's records: what the daemon knows about kernels, grafts, traces and runs.
//!
//! They are stored as JSON, so that a later version can add a field and an engineer can read
//! them; large things are in blobs and logs, and a record names them by digest or number.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::Digest;

/// A kind of record with its place in the catalog.
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// The first byte of the keys of this kind.
    const PREFIX: u8;
    /// What the kind is called in messages.
    const NOUN: &'static str;

    /// The rest of this record's key; keys of one kind are listed in their byte order.
    fn key(&self) -> Vec<u8>;
}

/// Which page a kernel proposes for eviction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PolicyKind {
    /// The two-handed clock.
    TwoHandedClock {
        /// Frames between its hands; `None` is all of them.
        handspread: Option<u32>,
    },
    /// Exact least recently used.
    Lru,
}

/// A kernel's configuration, complete: no default is left to the version that reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KernelSettings {
    /// Frames of memory.
    pub(crate) frames: u32,
    /// Pages of swap space.
    pub(crate) swap_pages: u64,
    /// How victims are proposed.
    pub(crate) policy: PolicyKind,
    /// Free frames below which the pageout daemon wakes.
    pub(crate) free_min: u32,
    /// Free frames at which it sleeps.
    pub(crate) free_target: u32,
    /// Names of the processes, in the order of their address spaces.
    pub(crate) processes: Vec<String>,
    /// Whether grafts must be protected against reading outside their sandbox.
    pub(crate) read_protection: bool,
    /// Deadline of an invocation, in microseconds.
    pub(crate) graft_deadline_us: u64,
    /// References of a quantum.
    pub(crate) quantum_references: u32,
    /// Stack of a graft, in bytes.
    pub(crate) stack_bytes: u32,
    /// Largest heap of a graft, in bytes.
    pub(crate) heap_bytes_max: u32,
    /// Most host calls of an invocation.
    pub(crate) host_calls_max: u32,
    /// Most undo records of a transaction.
    pub(crate) undo_records_max: u32,
    /// Most wired pages of an address space.
    pub(crate) wired_pages_max: u32,
    /// Whether first touches are writes.
    pub(crate) modified_on_first_touch: bool,
    /// Whether exhausted swap space ends a run.
    pub(crate) end_run_on_swap_exhausted: bool,
}

/// A kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KernelRecord {
    /// Its name.
    pub(crate) name: String,
    /// Its configuration.
    pub(crate) settings: KernelSettings,
    /// When it was created, in milliseconds since 1970.
    pub(crate) created_ms: u64,
    /// Runs submitted to it so far.
    pub(crate) runs: u64,
}

impl Record for KernelRecord {
    const PREFIX: u8 = b'k';
    const NOUN: &'static str = "kernel";

    fn key(&self) -> Vec<u8> {
        self.name.clone().into_bytes()
    }
}

/// Whether a graft is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GraftState {
    /// It is.
    Loaded,
    /// The kernel took it away.
    Removed,
    /// A user took it away.
    Unloaded,
}

/// Why the kernel took a graft away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Removal {
    /// The run in which it misbehaved.
    pub(crate) run: u64,
    /// Its aborted transaction.
    pub(crate) txn: u64,
    /// The reason of the abort.
    pub(crate) reason: String,
    /// Where it trapped; empty if it did not.
    pub(crate) fault: String,
}

/// A graft, attached or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GraftRecord {
    /// Its kernel.
    pub(crate) kernel: String,
    /// Its name, unique in the kernel.
    pub(crate) name: String,
    /// The process that it serves.
    pub(crate) process: String,
    /// The point that it serves.
    pub(crate) point: String,
    /// Whether it is attached.
    pub(crate) state: GraftState,
    /// The object.
    pub(crate) object: Digest,
    /// Bytes of the object.
    pub(crate) size_bytes: u64,
    /// Bytes of its text.
    pub(crate) text_bytes: u64,
    /// Whether it is protected against reading outside its sandbox.
    pub(crate) read_protected: bool,
    /// The kernel functions that it calls.
    pub(crate) imports: Vec<String>,
    /// When it was loaded, in milliseconds since 1970.
    pub(crate) created_ms: u64,
    /// Why it was removed.
    pub(crate) removal: Option<Removal>,
    /// The client's identifier of the request that loaded it; may be empty.
    pub(crate) request_id: String,
}

/// The key of a graft: the kernel's name, a zero byte, the graft's name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GraftKey;

impl GraftKey {
    /// The key of a graft by its names.
    pub(crate) fn of(kernel: &str, name: &str) -> Vec<u8> {
        let mut key = GraftKey::of_kernel(kernel);
        key.extend(name.as_bytes());
        key
    }

    /// What the keys of all grafts of a kernel begin with.
    pub(crate) fn of_kernel(kernel: &str) -> Vec<u8> {
        let mut key = kernel.as_bytes().to_vec();
        key.push(0);
        key
    }
}

impl Record for GraftRecord {
    const PREFIX: u8 = b'g';
    const NOUN: &'static str = "graft";

    fn key(&self) -> Vec<u8> {
        GraftKey::of(&self.kernel, &self.name)
    }
}

/// The format of an imported file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TraceKind {
    /// A page number on each line.
    Pages,
    /// ARC's `.lis`.
    ArcLis,
    /// libCacheSim's oracleGeneral.
    OracleGeneral,
}

/// A decoded trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TraceRecord {
    /// Its name.
    pub(crate) name: String,
    /// What it was decoded from.
    pub(crate) kind: TraceKind,
    /// References.
    pub(crate) references: u64,
    /// Different pages.
    pub(crate) pages: u64,
    /// The decoded form.
    pub(crate) blob: Digest,
    /// Bytes of the decoded form.
    pub(crate) size_bytes: u64,
    /// When it was imported, in milliseconds since 1970.
    pub(crate) created_ms: u64,
}

impl Record for TraceRecord {
    const PREFIX: u8 = b't';
    const NOUN: &'static str = "trace";

    fn key(&self) -> Vec<u8> {
        self.name.clone().into_bytes()
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunState {
    /// It waits for its kernel.
    Queued,
    /// It executes.
    Running,
    /// It reached the end of its workloads.
    Succeeded,
    /// It could not.
    Failed,
    /// A user stopped it.
    Cancelled,
    /// The daemon ended while it executed.
    Interrupted,
}

impl RunState {
    /// Whether nothing more will happen to the run.
    pub(crate) fn is_final(self) -> bool {
        !matches!(self, RunState::Queued | RunState::Running)
    }
}

/// What a run logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogDetail {
    /// Start, end, grafts, aborts.
    Lifecycle,
    /// Also evictions and commits.
    Evictions,
}

/// A trace that one process of a run follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunWorkload {
    /// The process.
    pub(crate) process: String,
    /// The trace's name.
    pub(crate) trace: String,
    /// The decoded trace.
    pub(crate) blob: Digest,
}

/// A graft as a run uses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunGraft {
    /// Its name.
    pub(crate) name: String,
    /// The process that it serves.
    pub(crate) process: String,
    /// The point that it serves.
    pub(crate) point: String,
    /// The object.
    pub(crate) object: Digest,
    /// Where its sandbox was, once the run has started.
    pub(crate) base: Option<u64>,
}

/// What a run counted and measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunTotals {
    /// References made.
    pub(crate) references: u64,
    /// Page faults.
    pub(crate) faults: u64,
    /// Faults that failed.
    pub(crate) failed_faults: u64,
    /// Evictions.
    pub(crate) evictions: u64,
    /// Modified pages written.
    pub(crate) pages_written: u64,
    /// Graft invocations.
    pub(crate) invocations: u64,
    /// Of those, with another victim than the kernel's.
    pub(crate) overrides: u64,
    /// Of those, without an answer.
    pub(crate) not_found: u64,
    /// Committed transactions.
    pub(crate) commits: u64,
    /// Aborted transactions.
    pub(crate) aborts: u64,
    /// Events.
    pub(crate) events: u64,
    /// Digest of all events, in hexadecimal.
    pub(crate) event_digest: String,
    /// Digest of the final kernel state, in hexadecimal.
    pub(crate) state_digest: String,
    /// Median wall-clock time of an invocation.
    pub(crate) ns_per_invocation: f64,
    /// Wall-clock time from start to durable end, in microseconds.
    pub(crate) elapsed_us: u64,
    /// Bytes of the log's values.
    pub(crate) log_bytes: u64,
}

/// Why a run did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunEnd {
    /// A word in capitals for programs.
    pub(crate) reason: String,
    /// A sentence for people.
    pub(crate) message: String,
}

/// A run, and with its blobs everything that replays it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunRecord {
    /// Its number; ids are written `run-<number>`.
    pub(crate) number: u64,
    /// Its kernel.
    pub(crate) kernel: String,
    /// The kernel's configuration at submission.
    pub(crate) settings: KernelSettings,
    /// What each process follows.
    pub(crate) workloads: Vec<RunWorkload>,
    /// The attached grafts, in order of attachment.
    pub(crate) grafts: Vec<RunGraft>,
    /// Whether the kernel's grafts were left out on demand.
    pub(crate) without_grafts: bool,
    /// What it logs.
    pub(crate) log: LogDetail,
    /// Its seed.
    pub(crate) seed: u64,
    /// Version of the event encoding in its log.
    pub(crate) event_format: u32,
    /// How far it is.
    pub(crate) state: RunState,
    /// The boot of the daemon that queued or executes it.
    pub(crate) boot_epoch: u64,
    /// When it was submitted, in milliseconds since 1970.
    pub(crate) submitted_ms: u64,
    /// When it started.
    pub(crate) started_ms: Option<u64>,
    /// When it finished.
    pub(crate) finished_ms: Option<u64>,
    /// References of all workloads.
    pub(crate) references_total: u64,
    /// References made when it ended.
    pub(crate) references: u64,
    /// Events that were durable when it ended.
    pub(crate) events_durable: u64,
    /// What it counted, once it ended in order.
    pub(crate) totals: Option<RunTotals>,
    /// Why it did not succeed.
    pub(crate) end: Option<RunEnd>,
    /// The client's identifier of the submission; may be empty.
    pub(crate) request_id: String,
}

impl RunRecord {
    /// The id by which users name it.
    pub(crate) fn id(&self) -> String {
        RunRecord::id_of(self.number)
    }

    /// The id of the run with a number.
    pub(crate) fn id_of(number: u64) -> String {
        format!("run-{number}")
    }

    /// The number in an id; `None` if it is no id.
    pub(crate) fn parse_id(id: &str) -> Option<u64> {
        let digits = id.strip_prefix("run-")?;
        let canonical = digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse().ok().filter(|_| canonical)
    }

    /// The key of the run with a number.
    pub(crate) fn key_of(number: u64) -> Vec<u8> {
        number.to_be_bytes().to_vec()
    }
}

impl Record for RunRecord {
    const PREFIX: u8 = b'r';
    const NOUN: &'static str = "run";

    fn key(&self) -> Vec<u8> {
        RunRecord::key_of(self.number)
    }
}

/// What a request with an identifier has created already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RequestRecord {
    /// The client's identifier of the request.
    pub(crate) request_id: String,
    /// A digest of what was asked for, to refuse another request with the same identifier.
    pub(crate) asked: Digest,
    /// The key of what was created.
    pub(crate) created: Vec<u8>,
}

impl Record for RequestRecord {
    const PREFIX: u8 = b'q';
    const NOUN: &'static str = "request";

    fn key(&self) -> Vec<u8> {
        self.request_id.clone().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_run_ids_are_accepted() {
        assert_eq!(RunRecord::parse_id("run-17"), Some(17));
        for bad in ["17", "run-", "run-+1", "run--1", "run-1 ", "RUN-1"] {
            assert_eq!(RunRecord::parse_id(bad), None, "{bad}");
        }
    }
}
