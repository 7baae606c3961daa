//! `demo`: the whole system at work, in a few seconds, with nothing to set up.
//!
//! An embedded `vinod` listens on a socket of its own in a temporary folder; the demo is an
//! ordinary client of it. It builds the database author's graft from C++, runs a real trace
//! under the kernel's default and under the graft, lets hostile grafts loose, and replays every
//! run from the store. [`report`] says what came of it; [`assets`] holds what it needs.

mod assets;
mod report;

use tokio_stream::StreamExt;
use vino_client::Client;
use vino_proto::v1::event::Kind;
use vino_proto::v1::{
    EventFilter, EventKind, EvictionOutcome, KernelConfig, LogLevel, ProcessConfig, ReadLogRequest,
    Run, RunSpec, TraceFormat, TxnAborted, Workload,
};

use self::assets::{FRAMES, PROCESS, TRACE};
use self::report::{DemoReport, Misbehaved, PolicyRun, Replay, TraceFacts};
use crate::embedded;
use crate::failure::{Exit, Failure};
use crate::follow::{follow, replay_report};
use crate::output::Output;
use crate::progress::Progress;
use crate::samples::{self, DATABASE_VICTIM, HOSTILE, Sample};

/// The kernel's default policy, as the demo calls it.
const CLOCK: &str = "two-handed clock";
/// How many evictions after an abort are searched for the one that the default served instead.
const SERVED_AFTER_ABORT_EVENTS_MAX: u64 = 16;

/// Runs the demo and prints its report.
pub(crate) async fn execute(output: &mut Output) -> Result<(), Failure> {
    let daemon = embedded::Daemon::start("vino-demo-").await?;
    let result = tour(daemon.client()).await;
    daemon.shutdown().await?;
    result?.print(output)
}

/// Everything the demo shows, as a client of its daemon.
async fn tour(client: &Client) -> Result<DemoReport, Failure> {
    let progress = Progress::new("references");
    progress.message("building the grafts");
    let graft = DATABASE_VICTIM.build().await?;
    let mut hostile = Vec::with_capacity(HOSTILE.len());
    for sample in HOSTILE {
        hostile.push((sample, sample.build().await?));
    }

    progress.message("importing the trace");
    let trace = client
        .import_trace(
            TRACE.name,
            TRACE.file_name,
            TraceFormat::Unspecified,
            TRACE.bytes,
        )
        .await?;
    let optimum_faults = client.optimum(TRACE.name, FRAMES).await?;

    let stage = Stage {
        client,
        progress: &progress,
    };
    let mut replay = Replay {
        events: 0,
        identical: true,
    };
    let clock = stage.run(CLOCK, None).await?;
    stage.replay(&clock, &mut replay).await?;
    let grafted = stage.run(DATABASE_VICTIM.name, Some(&graft)).await?;
    stage.replay(&grafted, &mut replay).await?;
    let mut misbehaved = Vec::with_capacity(hostile.len());
    for (sample, object) in &hostile {
        let run = stage.run(sample.name, Some(object)).await?;
        stage.replay(&run, &mut replay).await?;
        misbehaved.push(stage.misbehaviour(sample, &run).await?);
    }
    progress.finish();
    Ok(DemoReport {
        trace: TraceFacts {
            name: trace.name,
            requests: trace.references,
            pages: trace.pages,
        },
        frames: FRAMES,
        runs: vec![
            PolicyRun::new(CLOCK, &clock)?,
            PolicyRun::new(DATABASE_VICTIM.name, &grafted)?,
        ],
        optimum_faults,
        misbehaved,
        replay,
    })
}

/// Where the runs of the demo are played.
struct Stage<'a> {
    client: &'a Client,
    progress: &'a Progress,
}

impl Stage<'_> {
    /// Runs the trace on a kernel of its own, with or without a graft, to its end.
    async fn run(&self, name: &str, graft: Option<&[u8]>) -> Result<Run, Failure> {
        self.progress.message(name);
        let kernel = name.replace(' ', "-");
        self.client.create_kernel(&kernel, kernel_config()).await?;
        if let Some(object) = graft {
            let upload = samples::upload(&kernel, PROCESS, name);
            self.client.load_graft(upload, object).await?;
        }
        let workload = Workload {
            process: PROCESS.to_string(),
            trace: TRACE.name.to_string(),
        };
        let spec = RunSpec {
            kernel,
            workloads: vec![workload],
            log_level: LogLevel::Evictions.into(),
            ..RunSpec::default()
        };
        let run = self.client.submit_run(spec).await?;
        follow(self.client, &run.id, self.progress).await
    }

    /// Executes a run again from the store, and adds the comparison to `replay`.
    async fn replay(&self, run: &Run, replay: &mut Replay) -> Result<(), Failure> {
        let report = replay_report(self.client, &run.id).await?;
        replay.events += report.events;
        replay.identical &= report.identical;
        Ok(())
    }

    /// What the kernel did about a hostile graft, from the run's stored log.
    async fn misbehaviour(&self, sample: &Sample, run: &Run) -> Result<Misbehaved, Failure> {
        let aborts = self.events(run, 0, 1, EventKind::TxnAborted).await?;
        let Some((seq, Kind::TxnAborted(abort))) = aborts.into_iter().next() else {
            let message = format!("hostile graft {} was not aborted", sample.name);
            return Err(Failure::new(Exit::Error, message));
        };
        let default_served = self.default_served(run, seq, &abort).await?;
        Ok(Misbehaved {
            graft: sample.name,
            tried: sample.tries,
            abort_reason: abort.reason,
            fault: abort.fault,
            state_restored: abort.state_restored,
            default_served,
        })
    }

    /// True if the aborted invocation's own eviction was served by the default, and the workload
    /// went on to its end.
    async fn default_served(
        &self,
        run: &Run,
        abort_seq: u64,
        abort: &TxnAborted,
    ) -> Result<bool, Failure> {
        let limit = SERVED_AFTER_ABORT_EVENTS_MAX;
        let evictions = self
            .events(run, abort_seq, limit, EventKind::Evicted)
            .await?;
        let served = evictions.iter().any(|(_, kind)| match kind {
            Kind::Evicted(evicted) => {
                evicted.txn == abort.txn && evicted.outcome() == EvictionOutcome::Default
            }
            _ => false,
        });
        let progress = run.progress.unwrap_or_default();
        Ok(served && progress.references == progress.references_total)
    }

    /// Reads events of one kind from a run's log.
    async fn events(
        &self,
        run: &Run,
        from_seq: u64,
        limit: u64,
        kind: EventKind,
    ) -> Result<Vec<(u64, Kind)>, Failure> {
        let request = ReadLogRequest {
            run: run.id.clone(),
            from_seq,
            limit,
            filter: Some(EventFilter {
                kinds: vec![kind.into()],
                ..EventFilter::default()
            }),
        };
        let mut batches = std::pin::pin!(self.client.read_log(request).await?);
        let mut events = Vec::new();
        while let Some(batch) = batches.next().await {
            let kinds = batch?.events.into_iter();
            events.extend(kinds.filter_map(|event| event.kind.map(|kind| (event.seq, kind))));
        }
        Ok(events)
    }
}

/// The machine of the demo: memory for a tenth of the trace's pages, evicting on demand.
fn kernel_config() -> KernelConfig {
    KernelConfig {
        frames: FRAMES,
        processes: vec![ProcessConfig {
            name: PROCESS.to_string(),
        }],
        ..KernelConfig::default()
    }
}
