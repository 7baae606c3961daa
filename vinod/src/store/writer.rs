//! The thread that makes one run's events durable while the kernel runs on.
//!
//! ```text
//!  kernel thread --chunks, bounded--> writer thread --batch--> sled --flush--> durable(seq)
//! ```
//!
//! The kernel waits when the queue is full, so a slow disk slows a run instead of filling memory.

use std::{
    sync::mpsc::{self, Receiver, SyncSender},
    thread::{self, JoinHandle},
};

use super::{Chunk, LogFooter, RunLog, StoreError, chunk, chunk::ChainHash};

/// Chunks that may wait for the disk.
const CHUNKS_QUEUED_MAX: usize = 32;
/// Chunks in one write batch: what has gathered while the previous flush was under way.
const CHUNKS_BATCHED_MAX: usize = 16;

/// The writer has stopped, because the store failed; [`LogWriter::finish`] says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WriterGone;

/// The sending side of a writer thread.
#[derive(Debug)]
pub(crate) struct LogWriter {
    chunks: SyncSender<Chunk>,
    thread: JoinHandle<Result<LogFooter, StoreError>>,
}

impl LogWriter {
    /// Starts the thread for an empty log; it calls `durable` with the sequence number below
    /// which every event is on disk.
    ///
    /// # Errors
    ///
    /// Fails if the operating system has no thread left.
    pub(crate) fn spawn(
        log: RunLog,
        durable: impl FnMut(u64) + Send + 'static,
    ) -> std::io::Result<LogWriter> {
        let (chunks, received) = mpsc::sync_channel(CHUNKS_QUEUED_MAX);
        let thread = thread::Builder::new()
            .name("vinod-log".to_owned())
            .spawn(move || write_chunks(&log, &received, durable))?;
        Ok(LogWriter { chunks, thread })
    }

    /// Queues a chunk, and waits while the queue is full.
    ///
    /// # Errors
    ///
    /// Fails if the writer has stopped.
    pub(crate) fn append(&self, chunk: Chunk) -> Result<(), WriterGone> {
        self.chunks.send(chunk).map_err(|_| WriterGone)
    }

    /// Waits until everything is durable, and completes the log.
    ///
    /// # Errors
    ///
    /// Fails with what stopped the writer.
    pub(crate) fn finish(self) -> Result<LogFooter, StoreError> {
        drop(self.chunks);
        match self.thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// Writes until the sender is gone, then writes the footer.
fn write_chunks(
    log: &RunLog,
    chunks: &Receiver<Chunk>,
    mut durable: impl FnMut(u64),
) -> Result<LogFooter, StoreError> {
    let mut footer = LogFooter {
        events: 0,
        bytes: 0,
        last: ChainHash::START,
    };
    while let Ok(first) = chunks.recv() {
        let gathered = chunks.try_iter().take(CHUNKS_BATCHED_MAX - 1);
        let mut values = Vec::with_capacity(CHUNKS_BATCHED_MAX);
        for chunk in std::iter::once(first).chain(gathered) {
            let value = chunk::encode(&chunk, footer.last)
                .map_err(|error| StoreError::io(&log.path, error))?;
            footer.events = chunk.next_seq();
            footer.bytes += value.len() as u64;
            footer.last = ChainHash::of(&value);
            values.push((chunk.first_seq, value));
        }
        log.append(values)?;
        durable(footer.events);
    }
    log.finish(&footer)?;
    Ok(footer)
}

#[cfg(test)]
mod tests;
