//! Waiting for the end of a run, or of its replay.

use tokio_stream::StreamExt;
use vino_client::Client;
use vino_proto::v1::replay_run_response::Update as ReplayUpdate;
use vino_proto::v1::watch_run_response::Update;
use vino_proto::v1::{EventFilter, EventKind, ReplayReport, Run, RunState};

use crate::failure::{Exit, Failure};
use crate::progress::Progress;

/// Waits for a run to succeed; any other end is a failure.
pub(crate) async fn follow(
    client: &Client,
    run: &str,
    progress: &Progress,
) -> Result<Run, Failure> {
    let kinds = vec![EventKind::RunFinished.into()];
    let filter = EventFilter {
        kinds,
        ..EventFilter::default()
    };
    let mut updates = std::pin::pin!(client.watch_run(run, 0, filter).await?);
    while let Some(update) = updates.next().await {
        match update?.update {
            Some(Update::Progress(now)) => progress.set(now.references, now.references_total),
            Some(Update::Finished(run)) if run.state() == RunState::Succeeded => return Ok(run),
            Some(Update::Finished(run)) => {
                let why = run.error.map_or_else(String::new, |error| error.message);
                return Err(Failure::new(
                    Exit::Error,
                    format!("run {} failed: {why}", run.id),
                ));
            }
            Some(Update::Events(_) | Update::Gap(_)) | None => {}
        }
    }
    Err(lost(run))
}

/// Replays a run and waits for the report, with a progress bar.
pub(crate) async fn replay_report(client: &Client, run: &str) -> Result<ReplayReport, Failure> {
    let mut updates = std::pin::pin!(client.replay_run(run).await?);
    let progress = Progress::new("events");
    let mut report = None;
    while let Some(update) = updates.next().await {
        match update?.update {
            Some(ReplayUpdate::Progress(now)) => progress.set(now.events, now.events_total),
            Some(ReplayUpdate::Report(last)) => report = Some(last),
            None => {}
        }
    }
    progress.finish();
    report.ok_or_else(|| {
        Failure::new(
            Exit::Error,
            format!("the daemon ended the replay of run {run} early"),
        )
    })
}

/// The stream of a run's updates ended before the run did.
pub(crate) fn lost(run: &str) -> Failure {
    Failure::new(
        Exit::Error,
        format!("the daemon stopped telling about run {run}"),
    )
    .with_advice(format!("vinoctl run get {run}"))
}
