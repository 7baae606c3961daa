//! `version`.

use serde::Serialize;
use vino_proto::v1::ServerInfo;

use crate::args::Globals;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::remote;

/// What `version` prints as JSON.
#[derive(Debug, Serialize)]
struct Versions {
    vinoctl: &'static str,
    vinod: Option<ServerInfo>,
}

pub(super) async fn execute(globals: &Globals, output: &mut Output) -> Result<(), Failure> {
    let vinoctl = env!("CARGO_PKG_VERSION");
    // Asking for the version is no reason to demand a daemon.
    let vinod = match remote::connect(globals).await {
        Ok(client) => Some(client.server_info().await?),
        Err(failure) if failure.exit == Exit::Unreachable => None,
        Err(failure) => return Err(failure),
    };
    if !output.is_table() {
        return output.document(&Versions { vinoctl, vinod });
    }
    output.line(&format!("vinoctl {vinoctl}"))?;
    match vinod {
        Some(info) => output.line(&format!(
            "vinod   {} (pid {}, store schema {}, started {} times)",
            info.version, info.pid, info.store_schema, info.boot_epoch
        ))?,
        None => output.line("vinod   not running")?,
    }
    output.flush()
}
