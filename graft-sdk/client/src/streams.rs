//! Calls that answer with a stream: watching, replaying, reading logs.

use std::time::Duration;

use tokio::{sync::mpsc, time};
use tokio_stream::{Stream, StreamExt as _, wrappers::ReceiverStream};
use tonic::Streaming;
use vino_proto::v1::{
    EventBatch, EventFilter, ReadLogRequest, ReplayRunRequest, ReplayRunResponse, WatchRunRequest,
    WatchRunResponse, logs_client::LogsClient, runs_client::RunsClient, watch_run_response::Update,
};

use crate::{CallError, Client};

/// Updates that may wait for the reader.
const UPDATES_QUEUED_MAX: usize = 16;
/// How often in a row a broken watch is resumed.
const RESUMES_MAX: u32 = 5;
/// Time before a broken watch is resumed.
const RESUME_WAIT: Duration = Duration::from_millis(300);

impl Client {
    /// Watches a run from event `from_seq` until it finishes.
    ///
    /// A lost connection is made again and the stream goes on where it was.
    ///
    /// # Errors
    ///
    /// Fails if there is no such run.
    pub async fn watch_run(
        &self,
        id: &str,
        from_seq: u64,
        filter: EventFilter,
    ) -> Result<impl Stream<Item = Result<WatchRunResponse, CallError>> + use<>, CallError> {
        let request = WatchRunRequest {
            id: id.to_owned(),
            from_seq,
            filter: Some(filter),
            backlog_max: 0,
        };
        let stream = self.open_watch(&request).await?;
        let (updates, receiver) = mpsc::channel(UPDATES_QUEUED_MAX);
        tokio::spawn(forward_watch(self.clone(), request, stream, updates));
        Ok(ReceiverStream::new(receiver))
    }

    async fn open_watch(
        &self,
        request: &WatchRunRequest,
    ) -> Result<Streaming<WatchRunResponse>, CallError> {
        let mut runs = RunsClient::new(self.channel.clone());
        Ok(runs.watch_run(request.clone()).await?.into_inner())
    }

    /// Executes a stored run again and compares; the last message is the report.
    ///
    /// # Errors
    ///
    /// Fails if there is no such run, or it is not finished.
    pub async fn replay_run(
        &self,
        id: &str,
    ) -> Result<impl Stream<Item = Result<ReplayRunResponse, CallError>> + use<>, CallError> {
        let mut runs = RunsClient::new(self.channel.clone());
        let request = ReplayRunRequest { id: id.to_owned() };
        let stream = runs.replay_run(request).await?.into_inner();
        Ok(stream.map(|update| update.map_err(CallError::from)))
    }

    /// Reads the stored events of a run that pass a filter.
    ///
    /// # Errors
    ///
    /// Fails if there is no such run.
    pub async fn read_log(
        &self,
        request: ReadLogRequest,
    ) -> Result<impl Stream<Item = Result<EventBatch, CallError>> + use<>, CallError> {
        let mut logs = LogsClient::new(self.channel.clone());
        let stream = logs.read_log(request).await?.into_inner();
        Ok(stream.map(|batch| batch.map_err(CallError::from)))
    }
}

/// Passes updates on until the run finishes, the reader leaves, or resuming fails.
async fn forward_watch(
    client: Client,
    mut request: WatchRunRequest,
    mut stream: Streaming<WatchRunResponse>,
    updates: mpsc::Sender<Result<WatchRunResponse, CallError>>,
) {
    let mut resumes_left = RESUMES_MAX;
    loop {
        let error = match stream.message().await {
            Ok(None) => return,
            Ok(Some(update)) => {
                match &update.update {
                    Some(Update::Events(batch)) => request.from_seq = batch.next_seq,
                    Some(Update::Gap(gap)) => request.from_seq = gap.to_seq,
                    _ => {}
                }
                resumes_left = RESUMES_MAX;
                if updates.send(Ok(update)).await.is_err() {
                    return;
                }
                continue;
            }
            Err(status) => CallError::from(status),
        };
        match resume(&client, &request, error, &mut resumes_left).await {
            Ok(resumed) => stream = resumed,
            Err(error) => {
                // Without a reader there is nobody to tell.
                let _ = updates.send(Err(error)).await;
                return;
            }
        }
    }
}

/// Opens a watch again after `error`, as long as the daemon is merely unreachable.
async fn resume(
    client: &Client,
    request: &WatchRunRequest,
    mut error: CallError,
    attempts_left: &mut u32,
) -> Result<Streaming<WatchRunResponse>, CallError> {
    while error.is_connection_lost() && *attempts_left > 0 {
        *attempts_left -= 1;
        time::sleep(RESUME_WAIT).await;
        match client.open_watch(request).await {
            Ok(stream) => return Ok(stream),
            Err(again) => error = again,
        }
    }
    Err(error)
}
