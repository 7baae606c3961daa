//! The gRPC side: a file for each service, whose handlers convert, ask the [`Host`] and convert.
//!
//! [`status`] is the only place that builds a status, [`convert`] the only one that knows both
//! messages and the daemon's own types. Nothing here decides anything.

mod convert;
mod events;
mod grafts;
mod kernels;
mod logs;
mod page;
mod points;
mod runs;
mod server;
mod status;
mod traces;
mod upload;

use std::{convert::Infallible, ops::Deref, sync::Arc};

use tokio::sync::{Semaphore, mpsc, watch};
use tonic::{Response, Status, service::RoutesBuilder};
use vino_proto::v1::{
    grafts_server::GraftsServer, kernels_server::KernelsServer, logs_server::LogsServer,
    points_server::PointsServer, runs_server::RunsServer, server_server::ServerServer,
    traces_server::TracesServer,
};

use crate::{
    config::Limits,
    host::{Host, HostError},
};

/// Replays that may be under way at once; each takes a processor.
const REPLAYS_MAX: usize = 4;
/// Requests that may work on a whole trace in memory at once: imports and optima.
const TRACE_WORK_MAX: usize = 2;
/// Objects that may be checked at once; each may take twice the bytes of the largest image.
const GRAFT_CHECKS_MAX: usize = 2;

/// What every service shares.
#[derive(Clone, Debug)]
pub(crate) struct Rpc {
    host: HostHandle,
    limits: Limits,
    replays: Arc<Semaphore>,
    trace_work: Arc<Semaphore>,
    graft_checks: Arc<Semaphore>,
    /// Becomes true when the daemon shuts down, which ends the streams.
    stopping: watch::Receiver<bool>,
}

/// The host as requests hold it: the daemon learns when the last one lets go.
///
/// The two fields must go together: a closure that used `host` of a plain pair would capture it
/// alone, and the daemon would believe that nobody has it. A dereference captures the handle.
#[derive(Clone, Debug)]
pub(crate) struct HostHandle {
    // Dropped first, so that whoever waits for the other finds the host free.
    host: Arc<Host>,
    _in_use: mpsc::Sender<Infallible>,
}

impl HostHandle {
    /// The other end of `in_use` is closed once every clone of the handle is gone.
    pub(crate) fn new(host: Arc<Host>, in_use: mpsc::Sender<Infallible>) -> HostHandle {
        HostHandle {
            host,
            _in_use: in_use,
        }
    }
}

impl Deref for HostHandle {
    type Target = Arc<Host>;

    fn deref(&self) -> &Arc<Host> {
        &self.host
    }
}

impl Rpc {
    pub(crate) fn new(host: HostHandle, limits: Limits, stopping: watch::Receiver<bool>) -> Rpc {
        Rpc {
            host,
            limits,
            replays: Arc::new(Semaphore::new(REPLAYS_MAX)),
            trace_work: Arc::new(Semaphore::new(TRACE_WORK_MAX)),
            graft_checks: Arc::new(Semaphore::new(GRAFT_CHECKS_MAX)),
            stopping,
        }
    }

    /// Adds all services, health and reflection.
    pub(crate) async fn register(
        self,
        routes: &mut RoutesBuilder,
    ) -> Result<(), tonic_reflection::server::Error> {
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_serving::<KernelsServer<Rpc>>().await;
        health.set_serving::<PointsServer<Rpc>>().await;
        health.set_serving::<GraftsServer<Rpc>>().await;
        health.set_serving::<TracesServer<Rpc>>().await;
        health.set_serving::<RunsServer<Rpc>>().await;
        health.set_serving::<LogsServer<Rpc>>().await;
        health.set_serving::<ServerServer<Rpc>>().await;
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(vino_proto::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()?;
        routes
            .add_service(health_service)
            .add_service(reflection)
            .add_service(KernelsServer::new(self.clone()))
            .add_service(PointsServer::new(self.clone()))
            .add_service(GraftsServer::new(self.clone()))
            .add_service(TracesServer::new(self.clone()))
            .add_service(RunsServer::new(self.clone()))
            .add_service(LogsServer::new(self.clone()))
            .add_service(ServerServer::new(self));
        Ok(())
    }

    /// Asks the host on a thread that may block, and answers with what it says.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Arc<Host>) -> Result<T, HostError> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        self.blocking(question).await.map(Response::new)
    }

    /// Asks the host something that takes much memory, once `turns` has room for it.
    async fn ask_in_turn<T: Send + 'static>(
        &self,
        turns: &Arc<Semaphore>,
        question: impl FnOnce(&Arc<Host>) -> Result<T, HostError> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        let permit = Arc::clone(turns).acquire_owned().await;
        let permit = permit.map_err(|_| status::shutting_down())?;
        self.ask(move |host| {
            // Held by the work and not by the request: it goes on when the client leaves.
            let _permit = permit;
            question(host)
        })
        .await
    }

    /// Does something with the host on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Host>) -> Result<T, HostError> + Send + 'static,
    ) -> Result<T, Status> {
        let host = self.host.clone();
        let result = tokio::task::spawn_blocking(move || work(&host)).await;
        result
            .map_err(status::task_failed)?
            .map_err(status::from_host)
    }
}
