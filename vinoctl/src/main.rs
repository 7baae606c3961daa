//! `vinoctl`, the command line of VINO.
//!
//! ```text
//! args -> cmd/<noun> -> vino-client -> vinod        output <- render
//! ```
//!
//! `args` reads the command line, `cmd` does what it asks, through `remote` when that needs the
//! daemon, and `output` prints the answer in the format that was asked for. Every way to fail is
//! a [`failure::Failure`] with an exit code of its own kind.

mod args;
mod bench;
mod cmd;
mod demo;
mod embedded;
mod failure;
mod follow;
mod inspect;
mod output;
mod progress;
mod remote;
mod render;
mod samples;
mod toolchain;

use std::future::Future;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use crate::args::Cli;
use crate::failure::{Exit, Failure};

/// How long a command may take that has no reason to take long.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(path) = cli.globals.file().filter(|_| !cli.command.writes_file()) {
        let message = format!(
            "{path:?} is not an output format: choose table, json, jsonl or name \
             (only `graft build` and `trace generate` write a file)"
        );
        Cli::command()
            .error(ErrorKind::InvalidValue, message)
            .exit();
    }
    let exit = match start(cli) {
        Ok(()) => Exit::Success,
        Err(failure) => {
            // Nobody is left to tell when standard error is closed.
            let _ = write!(std::io::stderr(), "{failure}");
            failure.exit
        }
    };
    exit.into()
}

/// Runs the command on an async runtime until it ends, its time is up, or Ctrl-C.
fn start(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::from_error("cannot start", &error))?;
    let timeout = cli
        .globals
        .timeout
        .or((!cli.command.is_long()).then_some(TIMEOUT_DEFAULT));
    let result = runtime.block_on(async {
        tokio::select! {
            result = within(timeout, cmd::execute(cli)) => result,
            interrupt = tokio::signal::ctrl_c() => match interrupt {
                Ok(()) => Err(Failure::silent(Exit::Interrupted)),
                Err(error) => Err(Failure::from_error("cannot listen for Ctrl-C", &error)),
            },
        }
    });
    // Work on blocking threads must not hold up the exit.
    runtime.shutdown_background();
    result
}

/// Fails when `work` is not done in time.
async fn within(
    timeout: Option<Duration>,
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let Some(timeout) = timeout else {
        return work.await;
    };
    tokio::time::timeout(timeout, work)
        .await
        .unwrap_or_else(|_| {
            Err(
                Failure::new(Exit::Timeout, format!("not done within {timeout:?}"))
                    .with_advice("--timeout allows more"),
            )
        })
}
