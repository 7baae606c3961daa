//! `log txn|evictions`.

use tokio_stream::StreamExt;
use vino_proto::v1::{EventFilter, EventKind, ReadLogRequest};

use super::tell;
use crate::args::{Globals, LogVerb};
use crate::failure::Failure;
use crate::output::Output;
use crate::{remote, render};

pub(super) async fn execute(
    verb: LogVerb,
    globals: &Globals,
    output: &mut Output,
) -> Result<(), Failure> {
    let (args, kinds): (_, &[EventKind]) = match verb {
        LogVerb::Txn(args) => (
            args,
            &[
                EventKind::TxnCommitted,
                EventKind::TxnAborted,
                EventKind::GraftRemoved,
            ],
        ),
        LogVerb::Evictions(args) => (args, &[EventKind::Evicted, EventKind::SwapExhausted]),
    };
    let client = remote::connect(globals).await?;
    let filter = EventFilter {
        kinds: kinds.iter().map(|kind| (*kind).into()).collect(),
        ..EventFilter::default()
    };
    let request = ReadLogRequest {
        run: args.run.clone(),
        from_seq: args.from,
        limit: args.limit.into(),
        filter: Some(filter),
    };
    let mut batches = std::pin::pin!(client.read_log(request).await?);
    let mut printed: u64 = 0;
    let mut next_seq = args.from;
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        for event in &batch.events {
            output.stream_item(event, &event.seq.to_string(), &render::event_line(event))?;
        }
        printed += batch.events.len() as u64;
        next_seq = batch.next_seq;
    }
    output.flush()?;
    if printed == u64::from(args.limit) {
        let more =
            format!("{printed} entries; --from {next_seq} continues, --limit prints more at once");
        tell(output, &more);
    }
    Ok(())
}
