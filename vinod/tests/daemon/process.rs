//! The command `vinod`: signals, and what is left after it was killed.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio_stream::StreamExt as _;
use vino_client::Client;
use vino_proto::v1::{
    EventFilter, ReadLogRequest, RunState, TraceFormat, watch_run_response::Update,
};

use super::bench::{Bench, config, cyclic, kernel_config, spec};

/// A `vinod` of its own, which is killed when the test ends early.
struct Process(Child);

impl Process {
    fn start(dir: &TempDir) -> Process {
        let config = config(dir);
        let child = Command::new(env!("CARGO_BIN_EXE_vinod"))
            .arg("--socket")
            .arg(config.socket)
            .arg("--store")
            .arg(config.store)
            .args(["--log", "warn"])
            .stdin(Stdio::null())
            .spawn();
        Process(child.expect("vinod starts"))
    }

    /// Sends a signal and waits for the end; the exit code, if it was not the signal's doing.
    fn end(mut self, signal: &str) -> Option<i32> {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.expect("kill runs").success());
        self.0.wait().expect("it ends").code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // After `end` there is nothing to kill.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Connects as soon as the daemon listens.
async fn connect(socket: &Path) -> Client {
    for _ in 0..500 {
        if let Ok(client) = Client::connect(socket).await {
            return client;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("vinod does not listen on {}", socket.display());
}

async fn prepare(client: &Client) {
    let kernel = client.create_kernel("k", kernel_config(16)).await;
    kernel.expect("the kernel is created");
    let text: String = cyclic(60_000).map(|page| format!("{page}\n")).collect();
    let format = TraceFormat::Pages;
    let trace = client.import_trace("long", "t.txt", format, text.as_bytes());
    trace.await.expect("the trace is imported");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_kill() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let socket = config(&dir).socket;
    let process = Process::start(&dir);
    let client = connect(&socket).await;
    prepare(&client).await;
    let run = client
        .submit_run(spec("k", "long"))
        .await
        .expect("it is queued");
    let updates = client.watch_run(&run.id, 0, EventFilter::default()).await;
    let mut updates = updates.expect("the run is there");
    let mut acknowledged = 0;
    while let Some(Ok(update)) = updates.next().await {
        match update.update {
            Some(Update::Events(batch)) => acknowledged = batch.next_seq,
            Some(Update::Progress(progress)) => acknowledged = progress.events_durable,
            Some(Update::Finished(_)) => break,
            _ => {}
        }
        if acknowledged > 0 {
            break;
        }
    }
    assert!(acknowledged > 0, "the run logs events");
    assert_eq!(process.end("-KILL"), None);

    let bench = Bench::start_in(dir, |_| {}).await;
    let kept = bench.client.run(&run.id).await.expect("it is on record");
    match kept.state() {
        RunState::Interrupted => {
            let error = kept.error.expect("it says why");
            assert_eq!(error.reason, "DAEMON_ENDED");
        }
        // The kill may have come too late.
        state => assert_eq!(state, RunState::Succeeded),
    }
    let request = ReadLogRequest {
        run: run.id.clone(),
        from_seq: 0,
        limit: acknowledged,
        filter: None,
    };
    let mut batches = bench
        .client
        .read_log(request)
        .await
        .expect("it is readable");
    let mut next = 0;
    while let Some(batch) = batches.next().await {
        for event in batch.expect("it is intact").events {
            assert_eq!(event.seq, next);
            next += 1;
        }
    }
    assert_eq!(next, acknowledged);
    let report = bench
        .replay(&run.id)
        .await
        .expect("what is there is replayed");
    assert!(
        report.identical && report.events >= acknowledged,
        "{report:?}"
    );
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_goes_on_with_the_next_daemon() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let socket = config(&dir).socket;
    let process = Process::start(&dir);
    let client = connect(&socket).await;
    prepare(&client).await;
    let run = client
        .submit_run(spec("k", "long"))
        .await
        .expect("it is queued");
    let updates = client.watch_run(&run.id, 0, EventFilter::default()).await;
    let mut updates = updates.expect("the run is there");
    let mut next_seq = 0;
    let mut successor = None;
    let mut ended = None;
    let mut process = Some(process);
    while let Some(update) = updates.next().await {
        match update.expect("a restart does not end the watch").update {
            Some(Update::Events(batch)) => {
                for event in &batch.events {
                    assert_eq!(event.seq, next_seq, "no event is lost or repeated");
                    next_seq = event.seq + 1;
                }
                if let Some(process) = process.take() {
                    assert_eq!(process.end("-KILL"), None);
                    successor = Some(Process::start(&dir));
                    connect(&socket).await;
                }
            }
            Some(Update::Finished(run)) => ended = Some(run.state()),
            _ => {}
        }
    }
    assert!(
        matches!(ended, Some(RunState::Interrupted | RunState::Succeeded)),
        "{ended:?}"
    );
    let successor = successor.expect("the first daemon was killed");
    assert_eq!(successor.end("-TERM"), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_ends_it_in_order() {
    for signal in ["-TERM", "-INT"] {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let socket = config(&dir).socket;
        let process = Process::start(&dir);
        let client = connect(&socket).await;
        prepare(&client).await;
        let run = client
            .submit_run(spec("k", "long"))
            .await
            .expect("it is queued");
        assert_eq!(process.end(signal), Some(0));
        assert!(!socket.exists(), "the socket is gone");
        let bench = Bench::start_in(dir, |_| {}).await;
        let kept = bench.client.run(&run.id).await.expect("it is on record");
        let states = [RunState::Interrupted, RunState::Succeeded];
        assert!(states.contains(&kept.state()), "{:?}", kept.state());
        bench.stop().await;
    }
}
