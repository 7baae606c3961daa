//! `vino.v1.Runs`.

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc, time};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, async_trait};
use vino_proto::v1::{
    CancelRunRequest, DeleteRunRequest, DeleteRunResponse, EventGap, GetRunRequest,
    ListRunsRequest, ListRunsResponse, ReplayProgress, ReplayRunRequest, ReplayRunResponse, Run,
    SubmitRunRequest, WatchRunRequest, WatchRunResponse, replay_run_response, runs_server::Runs,
    watch_run_response::Update,
};

use super::{Rpc, convert, events, logs::EventSource, page::Page, status};
use crate::{
    host::{EventFilter, Host, LiveRun, RunList, RunProgress},
    store::{Record as _, RunRecord},
};

/// Messages that may wait for a slow client.
const UPDATES_QUEUED_MAX: usize = 4;
/// Time between two messages of a watch when nothing happens.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Least time between two reports of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(50);
/// How long a cancellation is waited for before the answer says that it is under way.
const CANCEL_WAIT_MAX: Duration = Duration::from_secs(2);

/// A run's message, whose progress may be live.
fn describe(host: &Host, run: RunRecord) -> Run {
    let progress = host.progress_of(&run);
    convert::run((run, progress))
}

#[async_trait]
impl Runs for Rpc {
    async fn submit_run(
        &self,
        request: Request<SubmitRunRequest>,
    ) -> Result<Response<Run>, Status> {
        let submit = convert::submit_run(request.into_inner())?;
        self.ask(move |host| Ok(describe(host, host.submit_run(submit)?)))
            .await
    }

    async fn get_run(&self, request: Request<GetRunRequest>) -> Result<Response<Run>, Status> {
        let id = request.into_inner().id;
        self.ask(move |host| Ok(describe(host, host.run_by_id(&id)?)))
            .await
    }

    async fn list_runs(
        &self,
        request: Request<ListRunsRequest>,
    ) -> Result<Response<ListRunsResponse>, Status> {
        let request = request.into_inner();
        let page = Page::new(request.page_size, &request.page_token)?;
        let before = page.after.as_deref().map(<[u8; 8]>::try_from).transpose();
        let before = before.map_err(|_| {
            let problem = "page_token: it is not the next_page_token of a list of runs";
            status::invalid("page_token", problem)
        })?;
        let list = RunList {
            state: convert::run_state_filter(request.state()),
            kernel: Some(request.kernel).filter(|kernel| !kernel.is_empty()),
            before: before.map(u64::from_be_bytes),
            limit: page.limit(),
        };
        self.ask(move |host| {
            let mut runs = host.runs(&list)?;
            let next_page_token = page.cut(&mut runs, RunRecord::key);
            Ok(ListRunsResponse {
                runs: runs.into_iter().map(|run| describe(host, run)).collect(),
                next_page_token,
            })
        })
        .await
    }

    async fn cancel_run(
        &self,
        request: Request<CancelRunRequest>,
    ) -> Result<Response<Run>, Status> {
        let id = request.into_inner().id;
        let run = self.blocking(move |host| host.cancel_run(&id)).await?;
        if let Some(live) = self.host.live_run(run.number) {
            let mut progress = live.watch();
            let ended = progress.wait_for(|progress| progress.ended);
            // Past the deadline the answer shows the run as it is: still running.
            let _ = time::timeout(CANCEL_WAIT_MAX, ended).await;
        }
        self.ask(move |host| Ok(describe(host, host.run(run.number)?)))
            .await
    }

    type WatchRunStream = ReceiverStream<Result<WatchRunResponse, Status>>;

    async fn watch_run(
        &self,
        request: Request<WatchRunRequest>,
    ) -> Result<Response<Self::WatchRunStream>, Status> {
        let request = request.into_inner();
        let id = request.id;
        let run = self.blocking(move |host| host.run_by_id(&id)).await?;
        let watch = Watch {
            rpc: self.clone(),
            live: self.host.live_run(run.number),
            number: run.number,
            from_seq: request.from_seq,
            filter: events::filter(request.filter),
            backlog_max: request.backlog_max,
        };
        let (updates, stream) = mpsc::channel(UPDATES_QUEUED_MAX);
        tokio::spawn(async move {
            if let Err(status) = watch.stream(&updates).await {
                // A client that has left needs no reason.
                let _ = updates.send(Err(status)).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    type ReplayRunStream = ReceiverStream<Result<ReplayRunResponse, Status>>;

    async fn replay_run(
        &self,
        request: Request<ReplayRunRequest>,
    ) -> Result<Response<Self::ReplayRunStream>, Status> {
        let id = request.into_inner().id;
        let permit = Arc::clone(&self.replays).acquire_owned().await;
        let permit = permit.map_err(|_| status::shutting_down())?;
        let host = self.host.clone();
        let stopping = self.stopping.clone();
        let (updates, stream) = mpsc::channel(UPDATES_QUEUED_MAX);
        tokio::task::spawn_blocking(move || {
            let result = host.replay_run(&id, |done, total| {
                report_replay_progress(&updates, done, total) && !*stopping.borrow()
            });
            let last = result.map_err(status::from_host).map(|report| {
                let report = events::replay_report(report);
                let update = replay_run_response::Update::Report(report);
                ReplayRunResponse {
                    update: Some(update),
                }
            });
            // A client that has left needs no report.
            let _ = updates.blocking_send(last);
            drop(permit);
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn delete_run(
        &self,
        request: Request<DeleteRunRequest>,
    ) -> Result<Response<DeleteRunResponse>, Status> {
        let id = request.into_inner().id;
        self.ask(move |host| host.delete_run(&id).map(|()| DeleteRunResponse {}))
            .await
    }
}

/// Tells how far a replay is, if the client keeps up; false if it has left.
fn report_replay_progress(
    updates: &mpsc::Sender<Result<ReplayRunResponse, Status>>,
    events: u64,
    events_total: u64,
) -> bool {
    let progress = ReplayProgress {
        events,
        events_total,
    };
    let update = replay_run_response::Update::Progress(progress);
    let message = ReplayRunResponse {
        update: Some(update),
    };
    // One place stays free for the report, so a slow client only misses progress.
    if updates.capacity() > 1 {
        let _ = updates.try_send(Ok(message));
    }
    !updates.is_closed()
}

/// One client that watches one run.
struct Watch {
    rpc: Rpc,
    /// `None` if the run has ended already.
    live: Option<Arc<LiveRun>>,
    number: u64,
    from_seq: u64,
    filter: EventFilter,
    backlog_max: u64,
}

type Updates = mpsc::Sender<Result<WatchRunResponse, Status>>;

/// Sends an update; false if the client has left.
async fn send(updates: &Updates, update: Update) -> bool {
    let message = WatchRunResponse {
        update: Some(update),
    };
    updates.send(Ok(message)).await.is_ok()
}

impl Watch {
    /// Streams until the run has ended, the client leaves or the daemon shuts down.
    ///
    /// Events are read from the store, never from the kernel: a client sees only what is durable,
    /// and however slow it is, it costs no memory.
    async fn stream(mut self, updates: &Updates) -> Result<(), Status> {
        let mut progress = self.live.as_ref().map(|live| live.watch());
        let mut stopping = self.rpc.stopping.clone();
        let mut source: Option<EventSource> = None;
        loop {
            let now = progress
                .as_mut()
                .map(|progress| *progress.borrow_and_update());
            let ended = now.is_none_or(|now| now.ended);
            let durable = now
                .filter(|now| !now.ended)
                .map_or(u64::MAX, |now| now.durable);
            if durable > self.from_seq && !self.send_events(&mut source, durable, updates).await? {
                return Ok(());
            }
            if ended {
                let number = self.number;
                let run = self.rpc.blocking(move |host| {
                    let run = host.run(number)?;
                    Ok(describe(host, run))
                });
                send(updates, Update::Finished(run.await?)).await;
                return Ok(());
            }
            let now = now.unwrap_or_default();
            if !send(updates, Update::Progress(convert::run_progress(now))).await {
                return Ok(());
            }
            tokio::select! {
                () = wait_for_news(progress.as_mut()) => {}
                _ = stopping.wait_for(|stopping| *stopping) => return Err(status::shutting_down()),
                () = updates.closed() => return Ok(()),
            }
        }
    }

    /// Sends the wanted events below `durable`; false if the client has left.
    async fn send_events(
        &mut self,
        source: &mut Option<EventSource>,
        durable: u64,
        updates: &Updates,
    ) -> Result<bool, Status> {
        let mut open = match source.take() {
            Some(open) => open,
            None => {
                let (number, from_seq) = (self.number, self.from_seq);
                let filter = self.filter.clone();
                let opened = self.rpc.blocking(move |host| {
                    let run = host.run(number)?;
                    match run.started_ms {
                        None => Ok(None),
                        Some(_) => host.select_events(&run, from_seq, filter).map(Some),
                    }
                });
                match opened.await? {
                    None => return Ok(true),
                    Some(selected) => EventSource::new(selected),
                }
            }
        };
        let backlog = durable.saturating_sub(open.next_seq());
        if self.backlog_max > 0 && durable != u64::MAX && backlog > self.backlog_max {
            let gap = EventGap {
                from_seq: open.next_seq(),
                to_seq: durable,
            };
            open = self.rpc.blocking(move |_| open.skip_to(durable)).await?;
            if !send(updates, Update::Gap(gap)).await {
                return Ok(false);
            }
        }
        loop {
            let (batches, next) = self.rpc.blocking(move |_| open.read(durable)).await?;
            open = next;
            self.from_seq = open.next_seq();
            let Some(batches) = batches else {
                *source = Some(open);
                return Ok(true);
            };
            for batch in batches {
                if !send(updates, Update::Events(batch)).await {
                    return Ok(false);
                }
            }
            if *self.rpc.stopping.borrow() {
                return Err(status::shutting_down());
            }
        }
    }
}

/// Waits for a change, not shorter than a reader can follow nor longer than a heartbeat.
async fn wait_for_news(progress: Option<&mut tokio::sync::watch::Receiver<RunProgress>>) {
    let Some(progress) = progress else {
        return;
    };
    let news = async {
        // The sender lives as long as the live run, which this watch holds.
        let _ = progress.changed().await;
        if !progress.borrow().ended {
            time::sleep(PROGRESS_INTERVAL).await;
        }
    };
    // Without news the next message is the heartbeat.
    let _ = time::timeout(HEARTBEAT, news).await;
}
