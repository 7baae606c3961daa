//! Between messages and the daemon's own types: kernels, grafts, traces, runs.

use tonic::Status;
use vino_proto::{Timestamp, v1};

use super::status;
use crate::{
    host::{KernelDraft, RunProgress, SubmitRun},
    store::{
        GraftRecord, GraftState, KernelRecord, KernelSettings, LogDetail, PolicyKind, Removal,
        RunRecord, RunState, RunTotals, TraceKind, TraceRecord,
    },
};

/// An instant in milliseconds since 1970.
pub(super) fn timestamp(ms: u64) -> Timestamp {
    Timestamp {
        seconds: i64::try_from(ms / 1000).unwrap_or(i64::MAX),
        nanos: i32::try_from(ms % 1000).unwrap_or_default() * 1_000_000,
    }
}

/// What a user wants of a kernel.
pub(super) fn kernel_draft(config: v1::KernelConfig) -> Result<KernelDraft, Status> {
    let policy = match config.policy() {
        v1::EvictionPolicy::Unspecified | v1::EvictionPolicy::TwoHandedClock => {
            PolicyKind::TwoHandedClock {
                handspread: config.handspread,
            }
        }
        v1::EvictionPolicy::Lru if config.handspread.is_some() => {
            let problem = "handspread: LRU has no hands; leave it out, or choose the clock";
            return Err(status::invalid("config.handspread", problem));
        }
        v1::EvictionPolicy::Lru => PolicyKind::Lru,
    };
    let limits = config.graft_limits.unwrap_or_default();
    Ok(KernelDraft {
        frames: config.frames,
        swap_pages: config.swap_pages,
        policy: Some(policy),
        free_min: config.free_min,
        free_target: config.free_target,
        processes: config
            .processes
            .into_iter()
            .map(|process| process.name)
            .collect(),
        accept_without_read_protection: config.accept_without_read_protection,
        graft_deadline_us: config.graft_deadline_us,
        quantum_references: config.quantum_references,
        stack_bytes: limits.stack_bytes,
        heap_bytes_max: limits.heap_bytes_max,
        host_calls_max: limits.host_calls_max,
        undo_records_max: limits.undo_records_max,
        wired_pages_max: limits.wired_pages_max,
        modified_on_first_touch: config.modified_on_first_touch,
        end_run_on_swap_exhausted: config.end_run_on_swap_exhausted,
    })
}

fn kernel_config(settings: KernelSettings) -> v1::KernelConfig {
    let (policy, handspread) = match settings.policy {
        PolicyKind::TwoHandedClock { handspread } => {
            (v1::EvictionPolicy::TwoHandedClock, handspread)
        }
        PolicyKind::Lru => (v1::EvictionPolicy::Lru, None),
    };
    let process = |name| v1::ProcessConfig { name };
    v1::KernelConfig {
        frames: settings.frames,
        swap_pages: Some(settings.swap_pages),
        policy: policy.into(),
        handspread,
        free_min: settings.free_min,
        free_target: settings.free_target,
        processes: settings.processes.into_iter().map(process).collect(),
        accept_without_read_protection: !settings.read_protection,
        graft_deadline_us: Some(settings.graft_deadline_us),
        quantum_references: Some(settings.quantum_references),
        graft_limits: Some(v1::GraftLimits {
            stack_bytes: Some(settings.stack_bytes),
            heap_bytes_max: Some(settings.heap_bytes_max),
            host_calls_max: Some(settings.host_calls_max),
            undo_records_max: Some(settings.undo_records_max),
            wired_pages_max: Some(settings.wired_pages_max),
        }),
        modified_on_first_touch: settings.modified_on_first_touch,
        end_run_on_swap_exhausted: settings.end_run_on_swap_exhausted,
    }
}

/// A kernel and how many grafts are attached to it.
pub(super) fn kernel((kernel, grafts_loaded): (KernelRecord, usize)) -> v1::Kernel {
    v1::Kernel {
        name: kernel.name,
        config: Some(kernel_config(kernel.settings)),
        create_time: Some(timestamp(kernel.created_ms)),
        grafts_loaded: u32::try_from(grafts_loaded).unwrap_or(u32::MAX),
        runs: kernel.runs,
    }
}

/// A graft.
pub(super) fn graft(graft: GraftRecord) -> v1::Graft {
    let state = match graft.state {
        GraftState::Loaded => v1::GraftState::Loaded,
        GraftState::Removed => v1::GraftState::Removed,
        GraftState::Unloaded => v1::GraftState::Unloaded,
    };
    let removal = |removal: Removal| v1::GraftRemoval {
        run: RunRecord::id_of(removal.run),
        txn: removal.txn,
        reason: removal.reason,
        fault: removal.fault,
    };
    v1::Graft {
        name: graft.name,
        kernel: graft.kernel,
        process: graft.process,
        point: graft.point,
        state: state.into(),
        sha256: graft.object.into(),
        size_bytes: graft.size_bytes,
        text_bytes: graft.text_bytes,
        read_protected: graft.read_protected,
        imports: graft.imports,
        create_time: Some(timestamp(graft.created_ms)),
        removal: graft.removal.map(removal),
    }
}

/// The format a user names; `None` to guess it.
pub(super) fn trace_kind(format: v1::TraceFormat) -> Option<TraceKind> {
    match format {
        v1::TraceFormat::Unspecified => None,
        v1::TraceFormat::Pages => Some(TraceKind::Pages),
        v1::TraceFormat::ArcLis => Some(TraceKind::ArcLis),
        v1::TraceFormat::OracleGeneral => Some(TraceKind::OracleGeneral),
    }
}

/// A trace.
pub(super) fn trace(trace: TraceRecord) -> v1::Trace {
    let format = match trace.kind {
        TraceKind::Pages => v1::TraceFormat::Pages,
        TraceKind::ArcLis => v1::TraceFormat::ArcLis,
        TraceKind::OracleGeneral => v1::TraceFormat::OracleGeneral,
    };
    v1::Trace {
        name: trace.name,
        format: format.into(),
        references: trace.references,
        pages: trace.pages,
        sha256: trace.blob.into(),
        size_bytes: trace.size_bytes,
        create_time: Some(timestamp(trace.created_ms)),
    }
}

/// A run to queue.
pub(super) fn submit_run(request: v1::SubmitRunRequest) -> Result<SubmitRun, Status> {
    let spec = request
        .spec
        .ok_or_else(|| status::invalid("spec", "spec: a run needs a specification"))?;
    Ok(SubmitRun {
        log: match spec.log_level() {
            v1::LogLevel::Lifecycle => LogDetail::Lifecycle,
            v1::LogLevel::Unspecified | v1::LogLevel::Evictions => LogDetail::Evictions,
        },
        kernel: spec.kernel,
        workloads: spec
            .workloads
            .into_iter()
            .map(|load| (load.process, load.trace))
            .collect(),
        seed: spec.seed,
        without_grafts: spec.without_grafts,
        request_id: request.request_id,
    })
}

/// The state to list; `None` for all.
pub(super) fn run_state_filter(state: v1::RunState) -> Option<RunState> {
    match state {
        v1::RunState::Unspecified => None,
        v1::RunState::Queued => Some(RunState::Queued),
        v1::RunState::Running => Some(RunState::Running),
        v1::RunState::Succeeded => Some(RunState::Succeeded),
        v1::RunState::Failed => Some(RunState::Failed),
        v1::RunState::Cancelled => Some(RunState::Cancelled),
        v1::RunState::Interrupted => Some(RunState::Interrupted),
    }
}

fn run_state(state: RunState) -> v1::RunState {
    match state {
        RunState::Queued => v1::RunState::Queued,
        RunState::Running => v1::RunState::Running,
        RunState::Succeeded => v1::RunState::Succeeded,
        RunState::Failed => v1::RunState::Failed,
        RunState::Cancelled => v1::RunState::Cancelled,
        RunState::Interrupted => v1::RunState::Interrupted,
    }
}

/// How far a run is.
pub(super) fn run_progress(progress: RunProgress) -> v1::RunProgress {
    v1::RunProgress {
        references: progress.references,
        references_total: progress.references_total,
        events: progress.events,
        events_durable: progress.durable,
    }
}

/// A run and how far it is.
pub(super) fn run((run, progress): (RunRecord, RunProgress)) -> v1::Run {
    let log_level = match run.log {
        LogDetail::Lifecycle => v1::LogLevel::Lifecycle,
        LogDetail::Evictions => v1::LogLevel::Evictions,
    };
    let id = run.id();
    let workloads = run.workloads.into_iter().map(|load| v1::Workload {
        process: load.process,
        trace: load.trace,
    });
    let grafts = run.grafts.into_iter().map(|graft| v1::RunGraft {
        name: graft.name,
        process: graft.process,
        point: graft.point,
        sha256: graft.object.into(),
    });
    v1::Run {
        id,
        spec: Some(v1::RunSpec {
            kernel: run.kernel,
            workloads: workloads.collect(),
            log_level: log_level.into(),
            seed: run.seed,
            without_grafts: run.without_grafts,
        }),
        state: run_state(run.state).into(),
        submit_time: Some(timestamp(run.submitted_ms)),
        start_time: run.started_ms.map(timestamp),
        finish_time: run.finished_ms.map(timestamp),
        progress: Some(run_progress(progress)),
        kernel_config: Some(kernel_config(run.settings)),
        grafts: grafts.collect(),
        summary: run.totals.map(run_summary),
        error: run.end.map(|end| v1::RunError {
            reason: end.reason,
            message: end.message,
        }),
    }
}

fn run_summary(totals: RunTotals) -> v1::RunSummary {
    v1::RunSummary {
        references: totals.references,
        faults: totals.faults,
        evictions: totals.evictions,
        invocations: totals.invocations,
        overrides: totals.overrides,
        commits: totals.commits,
        aborts: totals.aborts,
        not_found: totals.not_found,
        events: totals.events,
        event_digest: totals.event_digest,
        state_digest: totals.state_digest,
        ns_per_invocation: totals.ns_per_invocation,
        elapsed_us: totals.elapsed_us,
        log_bytes: totals.log_bytes,
        failed_faults: totals.failed_faults,
        pages_written: totals.pages_written,
    }
}
