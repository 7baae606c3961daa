//! `run submit|watch|get|list|replay|cancel|delete`.

use tokio_stream::StreamExt;
use vino_client::Client;
use vino_proto::v1::event::Kind;
use vino_proto::v1::watch_run_response::Update as WatchUpdate;
use vino_proto::v1::{
    EventFilter, EventKind, LogLevel, ReplayReport, Run, RunSpec, RunState, Workload,
};

use super::{suggest, tell};
use crate::args::{Globals, RunVerb, SubmitArgs};
use crate::failure::{Exit, Failure};
use crate::follow::{lost, replay_report};
use crate::output::{Output, grouped};
use crate::progress::Progress;
use crate::{remote, render};

/// Events that a person follows: everything but the evictions and the commits.
const WATCHED: &[EventKind] = &[
    EventKind::RunStarted,
    EventKind::GraftAttached,
    EventKind::TxnAborted,
    EventKind::GraftRemoved,
    EventKind::SwapExhausted,
    EventKind::RunFinished,
];

/// Faults without swap space that are shown one by one; a long run may have millions.
const SWAP_FAILURES_SHOWN: u64 = 3;

pub(super) async fn execute(
    verb: RunVerb,
    globals: &Globals,
    output: &mut Output,
) -> Result<(), Failure> {
    let client = remote::connect(globals).await?;
    match verb {
        RunVerb::Submit(args) => submit(&client, args, output).await,
        RunVerb::Watch(args) => watch(&client, &args.run, output).await,
        RunVerb::Get(args) => output.item(&client.run(&args.run).await?),
        RunVerb::List(args) => output.list(&client.runs(args.kernel.as_deref()).await?),
        RunVerb::Replay(args) => replay(&client, &args.run, output).await,
        RunVerb::Cancel(args) => output.item(&client.cancel_run(&args.run).await?),
        RunVerb::Delete(args) => {
            client.delete_run(&args.run).await?;
            tell(output, &format!("run {} deleted", args.run));
            Ok(())
        }
    }
}

async fn submit(client: &Client, args: SubmitArgs, output: &mut Output) -> Result<(), Failure> {
    let kernel = remote::kernel_name(client, args.kernel.kernel).await?;
    let mut workloads = Vec::with_capacity(args.workloads.len());
    for workload in &args.workloads {
        let (process, trace) = match workload.split_once('=') {
            Some((process, trace)) => (process.to_string(), trace),
            None => (
                remote::only_process(client, &kernel).await?,
                workload.as_str(),
            ),
        };
        workloads.push(Workload {
            process,
            trace: trace.to_string(),
        });
    }
    let log_level = if args.no_eviction_log {
        LogLevel::Lifecycle
    } else {
        LogLevel::Evictions
    };
    let spec = RunSpec {
        kernel,
        workloads,
        log_level: log_level.into(),
        seed: args.seed,
        without_grafts: args.without_grafts,
    };
    let run = client.submit_run(spec).await?;
    if args.watch {
        // Known before anything else, so that whoever stops watching can come back.
        tell(output, &format!("{} submitted", run.id));
        return watch(client, &run.id, output).await;
    }
    output.item(&run)?;
    suggest(output, &format!("vinoctl run watch {}", run.id));
    Ok(())
}

/// Follows a run to its end, printing what matters of it, then the run.
async fn watch(client: &Client, run: &str, output: &mut Output) -> Result<(), Failure> {
    let filter = EventFilter {
        kinds: WATCHED.iter().map(|kind| (*kind).into()).collect(),
        ..EventFilter::default()
    };
    let mut updates = std::pin::pin!(client.watch_run(run, 0, filter).await?);
    let progress = Progress::new("references");
    let mut finished = None;
    let mut swap_failures: u64 = 0;
    while let Some(update) = updates.next().await {
        match update?.update {
            Some(WatchUpdate::Events(batch)) => {
                // A run has one name, however much happens in it.
                let events = if output.names_only() {
                    &[]
                } else {
                    batch.events.as_slice()
                };
                for event in events {
                    if matches!(event.kind, Some(Kind::SwapExhausted(_))) {
                        swap_failures += 1;
                        if output.is_table() && swap_failures > SWAP_FAILURES_SHOWN {
                            continue;
                        }
                    }
                    let line = render::event_line(event);
                    progress
                        .suspend(|| output.stream_item(event, &event.seq.to_string(), &line))?;
                }
            }
            Some(WatchUpdate::Progress(now)) => {
                progress.set(now.references, now.references_total);
            }
            Some(WatchUpdate::Gap(gap)) => {
                progress.message(&format!(
                    "events {} to {} left out",
                    gap.from_seq, gap.to_seq
                ));
            }
            Some(WatchUpdate::Finished(run)) => finished = Some(run),
            None => {}
        }
    }
    progress.finish();
    let run = finished.ok_or_else(|| lost(run))?;
    if swap_failures > SWAP_FAILURES_SHOWN {
        let more = grouped(swap_failures - SWAP_FAILURES_SHOWN);
        tell(
            output,
            &format!("{more} more faults failed for lack of swap space"),
        );
    }
    output.last_of_stream(&run)?;
    outcome(&run)
}

/// The exit of a run that is over: an unfinished run and a removed graft are failures.
fn outcome(run: &Run) -> Result<(), Failure> {
    let state = RunState::try_from(run.state).unwrap_or_default();
    if state != RunState::Succeeded {
        let why = run.error.as_ref().map_or_else(
            || {
                format!(
                    "run {} did not succeed: {}",
                    run.id,
                    render::run_state(state)
                )
            },
            |error| format!("run {} failed: {}", run.id, error.message),
        );
        return Err(Failure::new(Exit::Error, why));
    }
    let message = match run.summary.as_ref().map_or(0, |summary| summary.aborts) {
        0 => return Ok(()),
        1 => "a graft was removed for misbehaving, and the default served".to_string(),
        n => format!("{n} grafts were removed for misbehaving, and the defaults served"),
    };
    let advice = format!("vinoctl log txn {}", run.id);
    Err(Failure::new(Exit::GraftFault, message).with_advice(advice))
}

/// Replays a run: exits with 0 when identical, 1 when not, and as `diff` does, more on trouble.
async fn replay(client: &Client, run: &str, output: &mut Output) -> Result<(), Failure> {
    let report = replay_report(client, run).await.map_err(|mut failure| {
        if failure.exit == Exit::Error {
            failure.exit = Exit::Usage;
        }
        failure
    })?;
    if !output.is_table() {
        output.document(&report)?;
    } else if report.identical {
        output.line(&format!("{} events, identical", grouped(report.events)))?;
        output.flush()?;
    } else {
        output.line(&divergence(&report))?;
        output.flush()?;
    }
    if report.identical {
        Ok(())
    } else {
        Err(Failure::silent(Exit::Error))
    }
}

fn divergence(report: &ReplayReport) -> String {
    let Some(first) = &report.divergence else {
        return format!(
            "different: {} equal events, but the final states differ\n  stored   {}\n  replayed {}",
            grouped(report.events),
            report.stored_state_digest,
            report.replayed_state_digest
        );
    };
    let side = |event: &Option<vino_proto::v1::Event>| match event {
        Some(event) => render::event_line(event).trim_start().to_string(),
        None => "nothing: it ends here".to_string(),
    };
    format!(
        "different from event {}, after {} equal ones\n  stored   {}\n  replayed {}",
        first.seq,
        grouped(report.events),
        side(&first.stored),
        side(&first.replayed)
    )
}
