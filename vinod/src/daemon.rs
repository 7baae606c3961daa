//! A daemon, from its start to its orderly end.

use std::{convert::Infallible, path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time,
};
use tonic::{
    service::RoutesBuilder,
    transport::{Server, server::Router},
};

use crate::{
    config::Config,
    host::{Host, HostError},
    rpc::{HostHandle, Rpc},
    socket::{Socket, SocketError, accept_own},
    store::{Store, StoreError},
};

/// Requests of one connection that may be under way at once.
const REQUESTS_MAX: usize = 256;
/// Longest time to the first byte of an answer.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(600);
/// How long streams may take to end when the daemon shuts down.
const SHUTDOWN_WAIT_MAX: Duration = Duration::from_secs(5);

/// Why a daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its socket.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// Its store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What it found in the store, or the executor of grafts.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The description of its own interface.
    #[error("cannot serve reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The task that opens the store has died.
    #[error("cannot open the store: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// A running daemon.
///
/// Dropped without [`Daemon::shutdown`], it stops listening; runs that execute go on to their end,
/// and keep the store locked until then.
#[derive(Debug)]
pub struct Daemon {
    path: PathBuf,
    host: Arc<Host>,
    stopping: watch::Sender<bool>,
    /// Closed once no request uses the host any more.
    unused: mpsc::Receiver<Infallible>,
    server: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl Daemon {
    /// Opens the store and listens on the socket.
    ///
    /// # Errors
    ///
    /// Fails if another daemon has socket or store, or the store is damaged or newer.
    pub async fn start(config: Config) -> Result<Daemon, StartError> {
        // The socket comes first: of two daemons on one configuration, the second should hear of
        // the first daemon, not of its lock.
        let (socket, listener) = Socket::bind(&config.socket).await?;
        let (store_path, bytes_max) = (config.store.clone(), config.store_bytes_max);
        let opened = tokio::task::spawn_blocking(move || -> Result<Arc<Host>, StartError> {
            Ok(Host::open(Store::open(&store_path, bytes_max)?)?)
        });
        let host = opened.await??;
        let (stopping, stopped) = watch::channel(false);
        // Nothing is ever sent: the channel only tells when every sender is gone.
        let (in_use, unused) = mpsc::channel(1);
        let handle = HostHandle::new(Arc::clone(&host), in_use);
        let rpc = Rpc::new(handle, config.limits, stopped.clone());
        let router = router(rpc).await?;
        let server = tokio::spawn(async move {
            let result = router
                .serve_with_incoming_shutdown(accept_own(listener), until_true(stopped))
                .await;
            drop(socket);
            result
        });
        tracing::info!(
            socket = %config.socket.display(),
            store = %config.store.display(),
            "vinod listens"
        );
        Ok(Daemon {
            path: config.socket,
            host,
            stopping,
            unused,
            server,
        })
    }

    /// The socket on which it listens.
    pub fn socket(&self) -> &std::path::Path {
        &self.path
    }

    /// Stops listening, ends streams and runs, and closes the store.
    pub async fn shutdown(mut self) {
        tracing::info!("vinod shuts down");
        // Every receiver may be gone already.
        let _ = self.stopping.send(true);
        let ended = time::timeout(SHUTDOWN_WAIT_MAX, &mut self.server).await;
        match ended {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::error!(%error, "the server failed"),
            Ok(Err(error)) => tracing::error!(%error, "the server task failed"),
            Err(_) => {
                tracing::warn!("connections do not end: they are cut off");
                self.server.abort();
            }
        }
        if time::timeout(SHUTDOWN_WAIT_MAX, self.unused.recv())
            .await
            .is_err()
        {
            tracing::warn!("requests do not end: the store stays locked until they do");
        }
        let host = self.host;
        // The host is dropped there too, and with it the store.
        let closed = tokio::task::spawn_blocking(move || host.shut_down()).await;
        if let Err(error) = closed {
            tracing::error!(%error, "the host did not shut down");
        }
    }

    /// Waits until the server ends by itself, which only a failure makes it do.
    pub async fn wait(&mut self) {
        match (&mut self.server).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the server failed"),
            Err(error) => tracing::error!(%error, "the server task failed"),
        }
    }
}

async fn router(rpc: Rpc) -> Result<Router, tonic_reflection::server::Error> {
    let mut routes = RoutesBuilder::default();
    rpc.register(&mut routes).await?;
    Ok(Server::builder()
        .concurrency_limit_per_connection(REQUESTS_MAX)
        .timeout(ANSWER_WAIT_MAX)
        .trace_fn(|request| tracing::info_span!("request", path = request.uri().path()))
        .add_routes(routes.routes()))
}

async fn until_true(mut flag: watch::Receiver<bool>) {
    // A sender that is gone means the same: nobody wants the daemon any more.
    let _ = flag.wait_for(|stop| *stop).await;
}
