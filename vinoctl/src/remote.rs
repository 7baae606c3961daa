//! The daemon, as commands use it: connecting, default names, and what its errors mean here.

use std::path::PathBuf;

use tonic::Code;
use vino_client::{CallError, Client, ConnectError};

use crate::args::Globals;
use crate::failure::{Exit, Failure};

/// Connects to the daemon that the command line, the environment or the default names.
pub(crate) async fn connect(globals: &Globals) -> Result<Client, Failure> {
    let socket: PathBuf = globals
        .socket
        .clone()
        .unwrap_or_else(vino_client::default_socket_path);
    let client = Client::connect(&socket).await?;
    Ok(match globals.timeout {
        Some(timeout) => client.with_deadline(timeout),
        None => client,
    })
}

/// The kernel a command is about: the named one, or the only one.
pub(crate) async fn kernel_name(client: &Client, named: Option<String>) -> Result<String, Failure> {
    if let Some(name) = named {
        return Ok(name);
    }
    let mut names: Vec<String> = client
        .kernels()
        .await?
        .into_iter()
        .map(|kernel| kernel.name)
        .collect();
    match (names.pop(), names.is_empty()) {
        (None, _) => Err(Failure::new(Exit::NotFound, "the daemon has no kernel yet")
            .with_advice("vinoctl kernel create NAME --frames N --process NAME")),
        (Some(only), true) => Ok(only),
        (Some(last), false) => {
            names.push(last);
            Err(Failure::usage("which kernel? there are several")
                .with_advice(format!("--kernel is one of {}", names.join(", "))))
        }
    }
}

/// The only process of a kernel.
pub(crate) async fn only_process(client: &Client, kernel: &str) -> Result<String, Failure> {
    let config = client.kernel(kernel).await?.config.unwrap_or_default();
    let names: Vec<String> = config
        .processes
        .into_iter()
        .map(|process| process.name)
        .collect();
    match names.as_slice() {
        [only] => Ok(only.clone()),
        _ => Err(Failure::usage(format!(
            "whose trace? kernel {kernel} has several processes"
        ))
        .with_advice(format!("--trace PROCESS=TRACE, of {}", names.join(", ")))),
    }
}

/// A daemon that cannot be reached; the error says how to start one.
impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Failure {
        Failure::new(Exit::Unreachable, error.to_string())
    }
}

/// A request that the daemon refused or could not serve.
impl From<CallError> for Failure {
    fn from(error: CallError) -> Failure {
        let reason = error.reason().unwrap_or_default();
        let exit = match error.code() {
            Code::NotFound => Exit::NotFound,
            // tonic gives up with CANCELLED when its own timer is the first to ring.
            Code::DeadlineExceeded | Code::Cancelled => Exit::Timeout,
            Code::Unavailable => Exit::Unreachable,
            Code::InvalidArgument if reason.starts_with("GRAFT_") => Exit::GraftRejected,
            // A malformed file is not a malformed command.
            Code::InvalidArgument if reason.starts_with("TRACE_") => Exit::Error,
            Code::InvalidArgument => Exit::Usage,
            _ => Exit::Error,
        };
        let message = match error.code() {
            Code::Cancelled => "vinod did not answer in time".to_string(),
            _ => error.to_string(),
        };
        let failure = Failure::new(exit, message);
        match error.help().as_slice() {
            [] => failure,
            help => failure.with_advice(help.join("; ")),
        }
    }
}
