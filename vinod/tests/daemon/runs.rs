//! The whole path through the daemon: kernel, trace, graft, run, log, replay, restart.

use super::bench::{Bench, PROCESS, Protection, build, build_example, cyclic, spec};
use tokio_stream::StreamExt as _;
use tonic::Code;
use vino_proto::v1::{
    EventFilter, EventKind, EvictionOutcome, GraftState, ReadLogRequest, RunState, event::Kind,
    watch_run_response::Update,
};

#[tokio::test]
async fn a_run_counts_logs_and_replays() {
    let bench = Bench::start().await;
    bench.create_kernel("k", 16).await;
    bench.import("loop", cyclic(10)).await;
    let run = bench.run("k", "loop").await;
    assert_eq!(run.state(), RunState::Succeeded);
    let summary = run.summary.expect("a finished run has a summary");
    // A loop that is larger than memory: every reference of the clock misses.
    assert_eq!(summary.references, 480);
    assert_eq!(summary.faults, 480);
    assert_eq!(summary.evictions, 464);

    let filter = EventFilter {
        kinds: vec![EventKind::Evicted.into()],
        page: Some(1003),
        ..EventFilter::default()
    };
    let evictions = bench.events(&run.id, filter).await.expect("it is readable");
    assert!((8..=10).contains(&evictions.len()), "{}", evictions.len());
    for event in evictions {
        let Some(Kind::Evicted(evicted)) = event.kind else {
            panic!("{event:?} is no eviction");
        };
        assert_eq!(evicted.process, PROCESS);
        assert_eq!((evicted.page, evicted.proposed_page), (1003, 1003));
        assert_eq!(evicted.outcome(), EvictionOutcome::Default);
    }
    let report = bench.replay(&run.id).await.expect("it is replayed");
    assert!(report.identical, "{report:?}");
    assert_eq!(report.events, summary.events);
    assert_eq!(report.stored_state_digest, summary.state_digest);
    bench.stop().await;
}

#[tokio::test]
async fn a_graft_is_invoked_and_its_run_replays() {
    let bench = Bench::start().await;
    bench.create_kernel("k", 16).await;
    bench.import("loop", cyclic(10)).await;
    let object = build_example("default_victim.c");
    let graft = bench
        .load("k", "default", &object)
        .await
        .expect("it is safe");
    assert_eq!(graft.state(), GraftState::Loaded);
    assert!(graft.read_protected && graft.text_bytes > 0);
    let run = bench.run("k", "loop").await;
    let summary = run.summary.expect("a finished run has a summary");
    assert_eq!(summary.invocations, summary.evictions);
    assert_eq!((summary.commits, summary.aborts), (summary.evictions, 0));
    assert!(summary.ns_per_invocation > 0.0);
    assert_eq!(run.grafts[0].sha256, graft.sha256);
    let report = bench.replay(&run.id).await.expect("it is replayed");
    assert!(report.identical, "{report:?}");

    // The same run without it differs in nothing but the transactions.
    let mut without = spec("k", "loop");
    without.without_grafts = true;
    let plain = bench
        .client
        .submit_run(without)
        .await
        .expect("it is queued");
    assert!(plain.grafts.is_empty());
    bench.stop().await;
}

#[tokio::test]
async fn a_hostile_graft_is_removed_and_the_default_serves() {
    let bench = Bench::start().await;
    bench.import("loop", cyclic(10)).await;
    for (example, reason) in [
        ("wild_write", "wild write"),
        ("null_call", "null call"),
        ("bad_victim", "bad answer"),
        ("infinite_loop", "deadline passed"),
        ("state_flipper", ""),
    ] {
        bench.create_kernel(example, 16).await;
        let object = build_example(&format!("hostile/{example}.c"));
        let loaded = bench.load(example, "bad", &object).await;
        loaded.expect("it breaks no rule of the verifier");
        let run = bench.run(example, "loop").await;
        assert_eq!(
            run.state(),
            RunState::Succeeded,
            "{example}: {:?}",
            run.error
        );
        let summary = run.summary.expect("a finished run has a summary");
        assert_eq!((summary.faults, summary.evictions), (480, 464), "{example}");
        assert_eq!(summary.aborts, 1, "{example}");

        let kinds = bench.kinds(&run.id).await;
        let aborted = kinds.iter().find_map(|kind| match kind {
            Kind::TxnAborted(aborted) => Some(aborted),
            _ => None,
        });
        let aborted = aborted.expect("the abort is logged");
        assert!(aborted.state_restored, "{example}");
        assert!(aborted.reason.contains(reason), "{example}: {aborted:?}");

        let graft = bench
            .client
            .graft(example, "bad")
            .await
            .expect("its record stays");
        assert_eq!(graft.state(), GraftState::Removed);
        let removal = graft.removal.expect("it says why");
        assert_eq!(
            (removal.run, removal.reason),
            (run.id.clone(), aborted.reason.clone())
        );
        let report = bench.replay(&run.id).await.expect("it is replayed");
        assert!(report.identical, "{example}: {report:?}");

        let later = bench.run(example, "loop").await;
        assert!(
            later.grafts.is_empty(),
            "{example} is served by the default from now on"
        );
    }
    bench.stop().await;
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let bench = Bench::start().await;
    bench.create_kernel("k", 16).await;
    bench.import("loop", cyclic(10)).await;
    let object = build_example("default_victim.c");
    let graft = bench
        .load("k", "default", &object)
        .await
        .expect("it is safe");
    let run = bench.run("k", "loop").await;
    let epoch = bench
        .client
        .server_info()
        .await
        .expect("it answers")
        .boot_epoch;

    let bench = Bench::start_in(bench.stop().await, |_| {}).await;
    let info = bench.client.server_info().await.expect("it answers");
    assert_eq!(info.boot_epoch, epoch + 1);
    assert_eq!(bench.client.run(&run.id).await.expect("it is kept"), run);
    let kept = bench
        .client
        .graft("k", &graft.name)
        .await
        .expect("it is kept");
    assert_eq!(kept, graft);
    let report = bench.replay(&run.id).await.expect("it is replayed");
    assert!(report.identical, "{report:?}");
    let again = bench.run("k", "loop").await;
    let digest = |run: vino_proto::v1::Run| run.summary.expect("it is finished").event_digest;
    assert_eq!(
        digest(again),
        digest(run),
        "a run is determined by its inputs"
    );
    bench.stop().await;
}

#[tokio::test]
async fn a_watch_resumes_where_it_is_told_to() {
    let bench = Bench::start().await;
    bench.create_kernel("k", 16).await;
    bench.import("loop", cyclic(10)).await;
    let run = bench.run("k", "loop").await;
    let total = run.summary.expect("it is finished").events;
    for from_seq in [0, 1, 100, total - 1, total, total + 50] {
        let updates = bench
            .client
            .watch_run(&run.id, from_seq, EventFilter::default());
        let mut updates = updates.await.expect("the run is there");
        let mut next = from_seq;
        let mut finished = false;
        while let Some(update) = updates.next().await {
            match update.expect("the watch goes on").update {
                Some(Update::Events(batch)) => {
                    for event in batch.events {
                        assert_eq!(event.seq, next);
                        next += 1;
                    }
                }
                Some(Update::Finished(_)) => finished = true,
                other => panic!("{other:?} from a run that is finished"),
            }
        }
        assert!(finished);
        assert_eq!(next, total.max(from_seq));
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_log_is_read_in_bounded_ranges() {
    let bench = Bench::start().await;
    bench.create_kernel("k", 16).await;
    bench.import("loop", cyclic(100)).await;
    let run = bench.run("k", "loop").await;
    let mut from_seq = 0;
    let mut seen = Vec::new();
    for _ in 0..3 {
        let request = ReadLogRequest {
            run: run.id.clone(),
            from_seq,
            limit: 100,
            filter: None,
        };
        let mut batches = bench.client.read_log(request).await.expect("it is there");
        while let Some(batch) = batches.next().await {
            let batch = batch.expect("it is readable");
            seen.extend(batch.events.iter().map(|event| event.seq));
            from_seq = batch.next_seq;
        }
    }
    assert_eq!(seen, (0..300).collect::<Vec<u64>>());
    bench.stop().await;
}

#[tokio::test]
async fn a_submission_with_the_same_identifier_is_executed_once() {
    let bench = Bench::start().await;
    bench.create_kernel("k", 16).await;
    bench.import("loop", cyclic(1)).await;
    let mut runs = raw_runs(&bench).await;
    let request = vino_proto::v1::SubmitRunRequest {
        spec: Some(spec("k", "loop")),
        request_id: "one".to_owned(),
    };
    let first = runs
        .submit_run(request.clone())
        .await
        .expect("it is queued");
    let second = runs.submit_run(request.clone()).await.expect("it is known");
    assert_eq!(first.get_ref().id, second.get_ref().id);
    let mut other = request;
    other.spec.as_mut().expect("it is set").seed = 5;
    let status = runs.submit_run(other).await.expect_err("it is another run");
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(
        status.message().contains("was used for another request"),
        "{status:?}"
    );
    bench.stop().await;
}

async fn raw_runs(
    bench: &Bench,
) -> vino_proto::v1::runs_client::RunsClient<tonic::transport::Channel> {
    vino_proto::v1::runs_client::RunsClient::new(bench.channel().await)
}

/// Answers late, but before the deadline.
const SLOW_GRAFT: &str = r#"
#include "graft-support.h"
static volatile int ticks;
status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed,
                            coremap_entry_o **my_choice) {
    (void)self;
    (void)opt_pages;
    for (int i = 0; i < 100000; i++)
        ticks++;
    *my_choice = proposed;
    return SUCCESS;
}
"#;

/// Follows a run until it has made progress.
async fn wait_until_it_runs(bench: &Bench, run: &str) {
    let updates = bench
        .client
        .watch_run(run, u64::MAX, EventFilter::default())
        .await;
    let mut updates = updates.expect("the run is there");
    while let Some(update) = updates.next().await {
        if let Some(Update::Progress(progress)) = update.expect("the watch goes on").update
            && progress.references > 0
        {
            break;
        }
    }
}

#[tokio::test]
async fn a_long_run_is_cancelled_at_once_and_its_log_stays_readable() {
    let bench = Bench::start().await;
    bench.create_kernel("k", 16).await;
    bench.import("long", cyclic(100_000)).await;
    let slow = build(SLOW_GRAFT, Protection::All);
    bench.load("k", "slow", &slow).await.expect("it is safe");
    let run = bench
        .client
        .submit_run(spec("k", "long"))
        .await
        .expect("it is queued");
    let queued = bench
        .client
        .submit_run(spec("k", "long"))
        .await
        .expect("it is queued");
    let busy = bench
        .client
        .delete_kernel("k")
        .await
        .expect_err("it has runs");
    assert_eq!(busy.reason().as_deref(), Some("KERNEL_BUSY"));

    wait_until_it_runs(&bench, &run.id).await;
    let cancelled = bench
        .client
        .cancel_run(&queued.id)
        .await
        .expect("it is not finished");
    assert_eq!(cancelled.state(), RunState::Cancelled);
    let cancelled = bench
        .client
        .cancel_run(&run.id)
        .await
        .expect("it is not finished");
    assert_eq!(
        cancelled.state(),
        RunState::Cancelled,
        "the answer comes after the end"
    );
    let summary = cancelled.summary.expect("a stopped run has totals");
    let error = bench
        .client
        .cancel_run(&run.id)
        .await
        .expect_err("it is finished");
    assert_eq!(error.reason().as_deref(), Some("RUN_FINISHED"));

    let report = bench
        .replay(&run.id)
        .await
        .expect("what was logged is replayed");
    assert!(report.identical, "{report:?}");
    // The chunk that was being filled once went missing, and the log with it.
    assert_eq!(report.events, summary.events);
    assert!(
        report.events > summary.commits + summary.evictions,
        "{summary:?}"
    );
    let error = bench
        .replay(&queued.id)
        .await
        .expect_err("it never started");
    assert_eq!(error.reason().as_deref(), Some("RUN_NOT_STARTED"));
    bench.stop().await;
}

#[tokio::test]
async fn deleting_a_run_frees_what_only_it_needed() {
    let bench = Bench::start().await;
    bench.create_kernel("k", 16).await;
    bench.import("loop", cyclic(10)).await;
    let run = bench.run("k", "loop").await;
    let error = bench
        .client
        .delete_trace("loop")
        .await
        .expect_err("replay needs it");
    assert_eq!(error.reason().as_deref(), Some("TRACE_BUSY"));
    bench
        .client
        .delete_run(&run.id)
        .await
        .expect("it is finished");
    bench
        .client
        .delete_trace("loop")
        .await
        .expect("nothing needs it");
    let error = bench.client.run(&run.id).await.expect_err("it is gone");
    assert_eq!(error.code(), Code::NotFound);
    let left = |name: &str| {
        let entries = std::fs::read_dir(bench.dir.path().join("store").join(name));
        let names = entries
            .expect("it is there")
            .map(|entry| entry.expect("readable").file_name());
        names.collect::<Vec<_>>()
    };
    assert_eq!(left("runs"), Vec::<std::ffi::OsString>::new());
    assert_eq!(left("blobs"), ["unfinished"]);
    bench.client.delete_kernel("k").await.expect("nothing runs");
    bench.stop().await;
}

#[tokio::test]
async fn lists_are_paged_and_filtered() {
    let bench = Bench::start().await;
    bench.import("loop", cyclic(1)).await;
    for index in 0..7 {
        bench.create_kernel(&format!("k{index}"), 16).await;
        bench.run(&format!("k{index}"), "loop").await;
    }
    let mut runs = raw_runs(&bench).await;
    let mut seen = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = vino_proto::v1::ListRunsRequest {
            page_size: 3,
            page_token,
            ..Default::default()
        };
        let page = runs
            .list_runs(request)
            .await
            .expect("it is listed")
            .into_inner();
        assert!(page.runs.len() <= 3);
        seen.extend(page.runs.into_iter().map(|run| run.id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let newest_first: Vec<String> = (1..=7).rev().map(|n| format!("run-{n}")).collect();
    assert_eq!(seen, newest_first);
    let of_one = bench.client.runs(Some("k3")).await.expect("it is listed");
    assert_eq!(of_one.len(), 1);
    assert_eq!(
        bench.client.kernels().await.expect("they are listed").len(),
        7
    );
    bench.stop().await;
}

#[tokio::test]
async fn a_log_that_is_gone_is_damage_and_not_an_empty_log() {
    let bench = Bench::start().await;
    bench.create_kernel("k", 16).await;
    bench.import("loop", cyclic(10)).await;
    let run = bench.run("k", "loop").await;
    let dir = bench.stop().await;
    std::fs::remove_dir_all(dir.path().join("store/runs/1")).expect("it is there");
    let bench = Bench::start_in(dir, |_| {}).await;
    let error = bench.events(&run.id, EventFilter::default()).await;
    let error = error.expect_err("events are missing");
    assert_eq!(error.code(), Code::DataLoss);
    assert!(error.message().contains("events 0 to "), "{error}");
    let error = bench.replay(&run.id).await.expect_err("events are missing");
    assert_eq!(error.reason().as_deref(), Some("LOG_DAMAGED"));
    bench.stop().await;
}

#[tokio::test]
async fn health_and_reflection_tell_what_is_served() {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let bench = Bench::start().await;
    let request = HealthCheckRequest {
        service: "vino.v1.Runs".to_owned(),
    };
    let health = HealthClient::new(bench.channel().await)
        .check(request)
        .await;
    assert_eq!(health.expect("it answers").get_ref().status, 1);

    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut reflection = ServerReflectionClient::new(bench.channel().await);
    let stream = reflection
        .server_reflection_info(tokio_stream::iter([request]))
        .await;
    let answer = stream.expect("it answers").into_inner().message().await;
    let answer = answer
        .expect("it answers")
        .and_then(|answer| answer.message_response);
    let Some(MessageResponse::ListServicesResponse(list)) = answer else {
        panic!("{answer:?} is no list");
    };
    for service in [
        "Grafts", "Kernels", "Logs", "Points", "Runs", "Server", "Traces",
    ] {
        let name = format!("vino.v1.{service}");
        assert!(
            list.service.iter().any(|service| service.name == name),
            "{name}"
        );
    }
    bench.stop().await;
}

#[tokio::test]
async fn the_points_are_described() {
    let bench = Bench::start().await;
    let points = bench.client.points().await.expect("they are listed");
    assert_eq!(points.len(), 4);
    let point = bench
        .client
        .point("vas_o::pick_victim")
        .await
        .expect("it is there");
    assert!(points.contains(&point));
    let names: Vec<&str> = point
        .arguments
        .iter()
        .map(|argument| argument.name.as_str())
        .collect();
    assert_eq!(names, ["opt_pages", "proposed_victim", "my_choice"]);
    assert!(!point.threat.is_empty() && !point.defence.is_empty() && !point.summary.is_empty());
    bench.stop().await;
}

#[tokio::test]
async fn the_manuals_own_calls_load_and_unload_a_graft() {
    let bench = Bench::start().await;
    bench.create_kernel("k", 16).await;
    let file = bench.dir.path().join("victim.o");
    std::fs::write(&file, build_example("default_victim.c")).expect("it can be written");
    let point = bench
        .client
        .vino_graft_lookup("k", PROCESS, "vas_o::pick_victim")
        .await;
    let point = point.expect("the point exists");
    let graft = point.vino_graft_load(&file).await.expect("it is safe");
    assert_eq!(graft.name, format!("graft-{}", &graft.sha256[..12]));
    let unloaded = point.vino_graft_unload(&graft).await.expect("it is loaded");
    assert_eq!(unloaded.state(), GraftState::Unloaded);
    let error = point.vino_graft_load("no/such/victim.o".as_ref()).await;
    let error = error.expect_err("there is no such file").to_string();
    assert!(
        error.starts_with("cannot read graft no/such/victim.o"),
        "{error}"
    );
    bench.stop().await;
}
