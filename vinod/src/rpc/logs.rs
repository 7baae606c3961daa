//! `vino.v1.Logs`, and the reading of events that watches share with it.

use sim_core::event::Event;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, async_trait};
use vino_proto::v1::{EventBatch, ReadLogRequest, logs_server::Logs};

use super::{Rpc, events, status};
use crate::host::{HostError, Selected};

/// Events in one message.
const BATCH_EVENTS_MAX: usize = 2048;
/// Batches that may wait for a slow client.
const BATCHES_QUEUED_MAX: usize = 4;

/// The wanted events of a run, in messages of bounded size.
#[derive(Debug)]
pub(super) struct EventSource {
    selected: Selected,
}

impl EventSource {
    pub(super) fn new(selected: Selected) -> EventSource {
        EventSource { selected }
    }

    /// The first event that was not read yet.
    pub(super) fn next_seq(&self) -> u64 {
        self.selected.next_seq()
    }

    /// Leaves events out.
    pub(super) fn skip_to(mut self, seq: u64) -> Result<EventSource, HostError> {
        self.selected.skip_to(seq)?;
        Ok(self)
    }

    /// Reads one chunk of the log; `None` when everything below `end` was read.
    ///
    /// Takes and returns itself, because it crosses to a thread that may block.
    pub(super) fn read(
        mut self,
        end: u64,
    ) -> Result<(Option<Vec<EventBatch>>, EventSource), HostError> {
        let Some(events) = self.selected.read(end)? else {
            return Ok((None, self));
        };
        let batches = self.batches(events);
        Ok((Some(batches), self))
    }

    /// Cuts the events of a chunk into messages; the last one says where the chunk ends.
    fn batches(&self, events: Vec<(u64, Event)>) -> Vec<EventBatch> {
        let names = self.selected.names();
        let mut batches = Vec::new();
        let mut batch = EventBatch::default();
        for (seq, event) in events {
            if batch.events.len() == BATCH_EVENTS_MAX {
                batches.push(std::mem::take(&mut batch));
            }
            batch.events.push(events::event(seq, event, names));
            batch.next_seq = seq + 1;
        }
        if !batch.events.is_empty() {
            batch.next_seq = self.selected.next_seq();
            batches.push(batch);
        }
        batches
    }
}

#[async_trait]
impl Logs for Rpc {
    type ReadLogStream = ReceiverStream<Result<EventBatch, Status>>;

    async fn read_log(
        &self,
        request: Request<ReadLogRequest>,
    ) -> Result<Response<Self::ReadLogStream>, Status> {
        let request = request.into_inner();
        let filter = events::filter(request.filter);
        let from_seq = request.from_seq;
        let (source, durable) = self
            .blocking(move |host| {
                let run = host.run_by_id(&request.run)?;
                if run.started_ms.is_none() {
                    return Ok((None, 0));
                }
                let live = host.live_run(run.number).map(|live| live.progress());
                let durable = live.map_or(u64::MAX, |progress| progress.durable);
                let selected = host.select_events(&run, from_seq, filter)?;
                Ok((Some(EventSource::new(selected)), durable))
            })
            .await?;
        let (batches, stream) = mpsc::channel(BATCHES_QUEUED_MAX);
        let rpc = self.clone();
        tokio::spawn(async move {
            let Some(source) = source else {
                return;
            };
            if let Err(status) = rpc.send_log(source, durable, request.limit, &batches).await {
                // A client that has left needs no reason.
                let _ = batches.send(Err(status)).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

impl Rpc {
    /// Streams batches until the end, the limit, or the client is reached.
    async fn send_log(
        &self,
        mut source: EventSource,
        durable: u64,
        limit: u64,
        updates: &mpsc::Sender<Result<EventBatch, Status>>,
    ) -> Result<(), Status> {
        let mut left = match limit {
            0 => u64::MAX,
            limit => limit,
        };
        loop {
            let (batches, next) = self.blocking(move |_| source.read(durable)).await?;
            source = next;
            let Some(batches) = batches else {
                return Ok(());
            };
            for mut batch in batches {
                let wanted = usize::try_from(left).unwrap_or(usize::MAX);
                if batch.events.len() > wanted {
                    batch.events.truncate(wanted);
                    batch.next_seq = batch.events.last().map_or(0, |event| event.seq + 1);
                }
                left -= batch.events.len() as u64;
                if updates.send(Ok(batch)).await.is_err() || left == 0 {
                    return Ok(());
                }
            }
            if *self.stopping.borrow() {
                return Err(status::shutting_down());
            }
        }
    }
}
