//! A `vinod` inside this process, for the demo and the benchmark.
//!
//! It has a socket and a store of its own in a temporary folder, which goes with it. Everything
//! else about it is the daemon that everybody runs; it is spoken to over its socket.

use vino_client::Client;

use crate::failure::Failure;

/// The embedded daemon and a client of it.
#[derive(Debug)]
pub(crate) struct Daemon {
    // Fields are dropped in order: the client hangs up before the folder goes.
    client: Client,
    daemon: vinod::Daemon,
    folder: tempfile::TempDir,
}

impl Daemon {
    /// Starts a daemon in a temporary folder whose name starts with `prefix`.
    pub(crate) async fn start(prefix: &str) -> Result<Daemon, Failure> {
        let folder = tempfile::Builder::new()
            .prefix(prefix)
            .tempdir()
            .map_err(|error| Failure::from_error("cannot create a temporary folder", &error))?;
        let socket = folder.path().join("vinod.sock");
        let config = vinod::Config::new(socket.clone(), folder.path().join("store"));
        let daemon = vinod::Daemon::start(config)
            .await
            .map_err(|error| Failure::from_error("cannot start the embedded vinod", &error))?;
        let client = Client::connect(&socket).await?;
        Ok(Daemon {
            client,
            daemon,
            folder,
        })
    }

    /// A client of this daemon.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Stops the daemon and removes its folder.
    pub(crate) async fn shutdown(self) -> Result<(), Failure> {
        drop(self.client);
        self.daemon.shutdown().await;
        let failed = |error| Failure::from_error("cannot remove the temporary folder", &error);
        self.folder.close().map_err(failed)
    }
}
