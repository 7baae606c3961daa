//! What happened in a run, as a stream of events with one canonical encoding.
//!
//! [`Event`] is the meaning; the bytes are chunks of about [`CHUNK_BYTES`] that are
//! self-contained, so a reader can start at any of them. Where a chunk ends depends only on what
//! happened, never on how the run was stepped, so equal runs give equal bytes. Events hold no wall
//! time and no host address.
mod decode;
mod encode;
mod kinds;
#[cfg(test)]
mod tests;
mod varint;

pub use decode::{EventDecodeError, Events, decode_chunk};
pub(crate) use encode::EventLog;
pub use encode::{CHUNK_BYTES, CHUNK_REFERENCES};
pub use kinds::{AbortReason, Commit, Counters, Event, Eviction, EvictionOutcome, RemovalReason};

/// Consecutive events in canonical encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventChunk {
    /// Sequence number of the first event, counted from 0 in each run.
    pub first_seq: u64,
    /// How many events the chunk holds, at least one.
    pub count: u32,
    /// Their encoding; [`decode_chunk`] reads it.
    pub bytes: Vec<u8>,
}

/// Whoever takes the events of a run.
pub trait EventSink {
    /// Takes the next chunk; chunks arrive in order and without gaps.
    fn chunk(&mut self, chunk: EventChunk) -> Result<(), SinkClosed>;
}

/// The taker of events has gone, so the run cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nobody takes the events of this run any more")]
pub struct SinkClosed;

/// Which events a run emits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Start, grafts, aborts, errors and the end, but nothing that happens all the time.
    Lifecycle,
    /// Also every eviction and every committed transaction.
    Evictions,
}
