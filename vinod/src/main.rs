//! The command `vinod`: flags, logging and signals around [`vinod::Daemon`].

use std::{io::IsTerminal as _, path::PathBuf, process::ExitCode};

use clap::{Parser, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use vinod::{Config, Daemon, Limits};

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Hosts simulated VINO kernels and runs untrusted grafts natively.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Unix socket to listen on; only its owner and root may connect
    #[arg(long, env = "VINOD_SOCKET", value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Folder for everything that is kept
    #[arg(long, env = "VINOD_STORE", value_name = "FOLDER")]
    store: Option<PathBuf>,
    /// Most bytes the store may take; by default what the disk has
    #[arg(long, env = "VINOD_STORE_BYTES_MAX", value_name = "BYTES")]
    store_bytes_max: Option<u64>,
    /// Most bytes of an uploaded trace
    #[arg(long, env = "VINOD_UPLOAD_BYTES_MAX", value_name = "BYTES")]
    upload_bytes_max: Option<u64>,
    /// How log lines are written to standard error
    #[arg(long, env = "VINOD_LOG_FORMAT", value_enum, default_value = "text")]
    log_format: LogFormat,
    /// Which log lines are written, such as `info` or `vinod=debug`
    #[arg(long, env = "VINOD_LOG", value_name = "FILTER", default_value = "info")]
    log: String,
}

impl Args {
    fn config(&self) -> Config {
        let socket = self
            .socket
            .clone()
            .unwrap_or_else(vino_proto::default_socket_path);
        let store = self.store.clone();
        let store = store.unwrap_or_else(|| vino_proto::default_state_dir().join("store"));
        let limits = Limits::default();
        Config {
            store_bytes_max: self.store_bytes_max,
            limits: Limits {
                upload_bytes_max: self.upload_bytes_max.unwrap_or(limits.upload_bytes_max),
                ..limits
            },
            ..Config::new(socket, store)
        }
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", vinod::error_chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> anyhow::Result<()> {
    start_logging(args)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(serve(args.config()))
}

fn start_logging(args: &Args) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&args.log)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    match args.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}

/// Serves until a signal asks for the end.
async fn serve(config: Config) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut daemon = Daemon::start(config).await?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = daemon.wait() => anyhow::bail!("the server ended: its log says why"),
    }
    daemon.shutdown().await;
    Ok(())
}
