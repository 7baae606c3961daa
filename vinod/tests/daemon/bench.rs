//! What the end-to-end tests share: a daemon, a client, and grafts built as users build them.

use std::{fs, path::PathBuf, process::Command};

use tempfile::TempDir;
use tokio_stream::StreamExt as _;
use vino_client::{CallError, Client, GraftUpload};
use vino_proto::v1::{
    Event, EventFilter, EventKind, Graft, KernelConfig, LogLevel, ProcessConfig, ReadLogRequest,
    ReplayReport, Run, RunSpec, TraceFormat, Workload, event::Kind, replay_run_response,
    watch_run_response::Update,
};
use vinod::{Config, Daemon};

/// The process of the kernels that tests create.
pub(crate) const PROCESS: &str = "database";
/// The graft point that tests use.
pub(crate) const POINT: &str = "vas_o::pick_victim";

/// A daemon in a temporary folder, and a client of it.
pub(crate) struct Bench {
    pub(crate) client: Client,
    pub(crate) dir: TempDir,
    daemon: Daemon,
}

impl Bench {
    pub(crate) async fn start() -> Bench {
        Bench::start_in(tempfile::tempdir().expect("a temporary folder"), |_| {}).await
    }

    /// Starts a daemon on the store that `dir` may hold already.
    pub(crate) async fn start_in(dir: TempDir, change: impl FnOnce(&mut Config)) -> Bench {
        let mut config = config(&dir);
        change(&mut config);
        let daemon = Daemon::start(config).await.expect("the daemon starts");
        let client = Client::connect(daemon.socket()).await;
        let client = client.expect("the daemon listens");
        Bench {
            client,
            dir,
            daemon,
        }
    }

    /// Shuts the daemon down, and leaves its folder.
    pub(crate) async fn stop(self) -> TempDir {
        drop(self.client);
        self.daemon.shutdown().await;
        self.dir
    }

    /// A connection for calls that the client does not make.
    pub(crate) async fn channel(&self) -> tonic::transport::Channel {
        let socket = format!("unix:{}", self.daemon.socket().display());
        let endpoint = tonic::transport::Endpoint::try_from(socket).expect("a socket is a target");
        endpoint.connect().await.expect("the daemon listens")
    }

    pub(crate) async fn create_kernel(&self, name: &str, frames: u32) {
        let created = self.client.create_kernel(name, kernel_config(frames)).await;
        created.expect("the kernel is created");
    }

    /// Imports a trace of decimal page numbers.
    pub(crate) async fn import(&self, name: &str, pages: impl IntoIterator<Item = u64>) {
        let text: String = pages.into_iter().map(|page| format!("{page}\n")).collect();
        let bytes = text.as_bytes();
        let imported = self
            .client
            .import_trace(name, "test.pages.txt", TraceFormat::Unspecified, bytes)
            .await;
        imported.expect("the trace is imported");
    }

    pub(crate) async fn load(
        &self,
        kernel: &str,
        name: &str,
        object: &[u8],
    ) -> Result<Graft, CallError> {
        let upload = GraftUpload {
            kernel: kernel.to_owned(),
            process: PROCESS.to_owned(),
            point: POINT.to_owned(),
            name: name.to_owned(),
        };
        self.client.load_graft(upload, object).await
    }

    /// Runs a trace to its end.
    pub(crate) async fn run(&self, kernel: &str, trace: &str) -> Run {
        let run = self.client.submit_run(spec(kernel, trace)).await;
        let id = run.expect("the run is queued").id;
        let filter = EventFilter {
            kinds: vec![EventKind::RunFinished.into()],
            ..EventFilter::default()
        };
        let updates = self.client.watch_run(&id, 0, filter).await;
        let mut updates = updates.expect("the run is there");
        while let Some(update) = updates.next().await {
            if let Some(Update::Finished(run)) = update.expect("the watch goes on").update {
                return run;
            }
        }
        panic!("the watch ended before the run");
    }

    pub(crate) async fn replay(&self, id: &str) -> Result<ReplayReport, CallError> {
        let mut updates = self.client.replay_run(id).await?;
        while let Some(update) = updates.next().await {
            if let Some(replay_run_response::Update::Report(report)) = update?.update {
                return Ok(report);
            }
        }
        panic!("the replay ended without a report");
    }

    pub(crate) async fn events(
        &self,
        run: &str,
        filter: EventFilter,
    ) -> Result<Vec<Event>, CallError> {
        let request = ReadLogRequest {
            run: run.to_owned(),
            from_seq: 0,
            limit: 0,
            filter: Some(filter),
        };
        let mut batches = self.client.read_log(request).await?;
        let mut events = Vec::new();
        while let Some(batch) = batches.next().await {
            events.extend(batch?.events);
        }
        Ok(events)
    }

    /// The kinds of all events of a run.
    pub(crate) async fn kinds(&self, run: &str) -> Vec<Kind> {
        let events = self.events(run, EventFilter::default()).await;
        let events = events.expect("the log is readable").into_iter();
        events.filter_map(|event| event.kind).collect()
    }
}

pub(crate) fn config(dir: &TempDir) -> Config {
    Config::new(dir.path().join("vinod.sock"), dir.path().join("store"))
}

pub(crate) fn kernel_config(frames: u32) -> KernelConfig {
    KernelConfig {
        frames,
        processes: vec![ProcessConfig {
            name: PROCESS.to_owned(),
        }],
        ..KernelConfig::default()
    }
}

pub(crate) fn spec(kernel: &str, trace: &str) -> RunSpec {
    RunSpec {
        kernel: kernel.to_owned(),
        workloads: vec![Workload {
            process: PROCESS.to_owned(),
            trace: trace.to_owned(),
        }],
        log_level: LogLevel::Evictions.into(),
        ..RunSpec::default()
    }
}

/// How an object is made of C.
#[derive(Clone, Copy)]
pub(crate) enum Protection {
    /// `misfit -crws`.
    All,
    /// `misfit -cws`.
    AllButReads,
    /// No `misfit`.
    None,
}

/// Builds an example of the SDK with all protections.
pub(crate) fn build_example(path: &str) -> Vec<u8> {
    let sdk = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../graft-sdk");
    let source = fs::read_to_string(sdk.join("examples").join(path)).expect("it is there");
    build(&source, Protection::All)
}

/// Builds C text into an object.
pub(crate) fn build(source: &str, protection: Protection) -> Vec<u8> {
    let sdk = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../graft-sdk");
    let dir = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| dir.path().join(name);
    fs::write(at("graft.c"), source).expect("it can be written");
    let mut gcc = Command::new("gcc");
    gcc.args(["-S", "-O2", "-fPIC", "-ffreestanding", "-fno-plt"])
        .args([
            "-fcf-protection=none",
            "-fno-stack-protector",
            "-fno-exceptions",
        ])
        .args([
            "-fno-asynchronous-unwind-tables",
            "-fno-ipa-ra",
            "-mno-mmx",
            "-I",
        ])
        .arg(sdk.join("include"))
        .arg(at("graft.c"))
        .arg("-o")
        .arg(at("graft.s"));
    run(gcc);
    let assembly = fs::read_to_string(at("graft.s")).expect("gcc wrote it");
    let instrumented = match protection {
        Protection::None => assembly,
        Protection::All => instrument(&assembly, true),
        Protection::AllButReads => instrument(&assembly, false),
    };
    fs::write(at("graft.misfit.s"), instrumented).expect("it can be written");
    let mut assembler = Command::new("as");
    assembler
        .arg(at("graft.misfit.s"))
        .arg("-o")
        .arg(at("graft.o"));
    run(assembler);
    fs::read(at("graft.o")).expect("the assembler wrote it")
}

fn instrument(assembly: &str, reads: bool) -> String {
    let options = misfit::Options {
        indirect_calls: true,
        reads,
        writes: true,
        stack: true,
    };
    misfit::instrument(assembly, &options).expect("misfit can make it safe")
}

fn run(mut command: Command) {
    let output = command.output().expect("the toolchain is installed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
}

/// References to 48 pages in turn, again and again.
pub(crate) fn cyclic(rounds: u64) -> impl Iterator<Item = u64> {
    (0..rounds).flat_map(|_| 1000..1048)
}
