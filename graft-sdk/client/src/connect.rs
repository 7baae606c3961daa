//! Connecting to the daemon, and what all calls have in common.

use std::{
    future::Future,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use hyper_util::rt::TokioIo;
use tokio::{net::UnixStream, time};
use tonic::{
    Request, Response, Status,
    transport::{Channel, Endpoint},
};

use crate::CallError;

/// How long a unary call may take unless the caller says otherwise.
const DEADLINE_DEFAULT: Duration = Duration::from_secs(60);
/// How long connecting may take.
const CONNECT_WAIT_MAX: Duration = Duration::from_secs(5);

/// A connection to one daemon; clones share it.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) channel: Channel,
    pub(crate) deadline: Duration,
}

/// Why no daemon could be reached.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot connect to vinod at {}: {problem}; start it with `vinod --socket {0}`, or name \
     another socket with --socket",
    socket.display()
)]
pub struct ConnectError {
    socket: PathBuf,
    problem: String,
    #[source]
    source: Option<io::Error>,
}

impl Client {
    /// Connects to the daemon that listens on `socket`.
    ///
    /// # Errors
    ///
    /// Fails if nobody listens there, or the socket belongs to another user.
    pub async fn connect(socket: &Path) -> Result<Client, ConnectError> {
        // The first connection is made here, so that its error is the system's own; tonic would
        // wrap it in three others.
        let first = time::timeout(CONNECT_WAIT_MAX, UnixStream::connect(socket)).await;
        match first {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(ConnectError::new(socket, error)),
            Err(_) => {
                return Err(ConnectError::new(socket, io::ErrorKind::TimedOut.into()));
            }
        }
        let path = socket.to_path_buf();
        let connector = tower::service_fn(move |_| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(TokioIo::new) }
        });
        // The authority of a unix socket means nothing, but HTTP/2 wants one.
        let channel = Endpoint::from_static("http://vinod.invalid")
            .connect_with_connector(connector)
            .await
            .map_err(|error| ConnectError::new(socket, io::Error::other(error)))?;
        Ok(Client {
            channel,
            deadline: DEADLINE_DEFAULT,
        })
    }

    /// Limits how long each call but the streaming ones may take.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Client {
        Client { deadline, ..self }
    }

    /// Makes one call within the deadline; the server is told of it.
    pub(crate) async fn call<Q, A, F>(
        &self,
        message: Q,
        send: impl FnOnce(Request<Q>) -> F,
    ) -> Result<A, CallError>
    where
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let mut request = Request::new(message);
        request.set_timeout(self.deadline);
        match time::timeout(self.deadline, send(request)).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => Err(CallError::from(status)),
            Err(_) => Err(CallError::deadline(self.deadline)),
        }
    }
}

impl ConnectError {
    fn new(socket: &Path, error: io::Error) -> ConnectError {
        let problem = match error.kind() {
            io::ErrorKind::NotFound => "there is no such socket".to_owned(),
            io::ErrorKind::ConnectionRefused => "nobody listens there".to_owned(),
            io::ErrorKind::PermissionDenied => "the socket belongs to another user".to_owned(),
            io::ErrorKind::TimedOut => "it does not answer".to_owned(),
            _ => error.to_string(),
        };
        ConnectError {
            socket: socket.to_path_buf(),
            problem,
            source: Some(error),
        }
    }
}
