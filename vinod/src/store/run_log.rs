//! The event log of one run: a database of its own, closed when nobody uses it.
//!
//! ```text
//!  key [0][0]           the layout's version
//!  key [1][first seq]   a chunk (chunk.rs)
//!  key [2][0]           the footer, once the log is complete
//! ```

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Chunk, LogError, Space, StoreError,
    chunk::{self, ChainHash},
    database,
};

/// Version of the layout above.
const VERSION: u32 = 1;
/// Memory that the database may cache, in bytes; a log is read and written in order.
const CACHE_BYTES: u64 = 16 << 20;

/// Stream of the version.
const STREAM_META: u8 = 0;
/// Stream of the chunks.
const STREAM_EVENTS: u8 = 1;
/// Stream of the footer.
const STREAM_FOOTER: u8 = 2;

fn key(stream: u8, seq: u64) -> [u8; 9] {
    let mut key = [stream; 9];
    key[1..].copy_from_slice(&seq.to_be_bytes());
    key
}

/// How a complete log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogFooter {
    /// Events in the log.
    pub(crate) events: u64,
    /// Bytes of the stored values.
    pub(crate) bytes: u64,
    /// Hash of the last value.
    pub(crate) last: ChainHash,
}

/// Bytes of an encoded footer: the fields in order, then a checksum.
const FOOTER_BYTES: usize = 8 + 8 + 32 + 4;

impl LogFooter {
    fn encode(&self) -> [u8; FOOTER_BYTES] {
        let mut out = [0; FOOTER_BYTES];
        out[..8].copy_from_slice(&self.events.to_be_bytes());
        out[8..16].copy_from_slice(&self.bytes.to_be_bytes());
        out[16..48].copy_from_slice(self.last.as_bytes());
        let checksum = crc32c::crc32c(&out[..48]);
        out[48..].copy_from_slice(&checksum.to_be_bytes());
        out
    }

    fn decode(value: &[u8]) -> Option<LogFooter> {
        let value: &[u8; FOOTER_BYTES] = value.try_into().ok()?;
        let (events, rest) = value.split_first_chunk()?;
        let (bytes, rest) = rest.split_first_chunk()?;
        let (last, checksum) = rest.split_first_chunk()?;
        if checksum != crc32c::crc32c(&value[..48]).to_be_bytes() {
            return None;
        }
        Some(LogFooter {
            events: u64::from_be_bytes(*events),
            bytes: u64::from_be_bytes(*bytes),
            last: ChainHash::from_bytes(*last),
        })
    }
}

/// The open event log of one run.
#[derive(Clone)]
pub(crate) struct RunLog {
    pub(super) db: sled::Db,
    pub(super) path: PathBuf,
    space: Arc<Space>,
}

impl fmt::Debug for RunLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // sled's own format prints every record.
        f.debug_struct("RunLog")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl RunLog {
    /// Opens or creates the log in the directory `path`.
    pub(super) fn open(path: &Path, space: Arc<Space>) -> Result<RunLog, StoreError> {
        let failed = |error| StoreError::database(path, error);
        let db = database::open(path, CACHE_BYTES)?;
        let meta = key(STREAM_META, 0);
        match db.get(meta).map_err(failed)? {
            None => {
                if !db.is_empty() {
                    return Err(StoreError::damaged(path, "the log's version is missing"));
                }
                space.claim(1)?;
                db.insert(meta, &VERSION.to_be_bytes()).map_err(failed)?;
            }
            Some(value) => {
                let version = value.as_ref().try_into().map(u32::from_be_bytes);
                let version = version
                    .map_err(|_| StoreError::damaged(path, "the log's version is malformed"))?;
                if version > VERSION {
                    return Err(StoreError::NewerSchema {
                        path: path.to_path_buf(),
                        found: version,
                        supported: VERSION,
                    });
                }
            }
        }
        Ok(RunLog {
            db,
            path: path.to_path_buf(),
            space,
        })
    }

    /// Writes encoded chunks, each with its first sequence number, and waits for the disk.
    pub(super) fn append(&self, values: Vec<(u64, Vec<u8>)>) -> Result<(), StoreError> {
        self.space
            .claim(values.iter().map(|(_, value)| value.len() as u64).sum())?;
        let mut batch = sled::Batch::default();
        for (first_seq, value) in values {
            batch.insert(&key(STREAM_EVENTS, first_seq), value);
        }
        self.commit(batch)
    }

    /// Writes the footer and waits for the disk.
    pub(super) fn finish(&self, footer: &LogFooter) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        batch.insert(&key(STREAM_FOOTER, 0), footer.encode().as_slice());
        self.commit(batch)
    }

    fn commit(&self, batch: sled::Batch) -> Result<(), StoreError> {
        let failed = |error| StoreError::database(&self.path, error);
        self.db.apply_batch(batch).map_err(failed)?;
        self.db.flush().map_err(failed)?;
        Ok(())
    }

    /// Reads the footer; `None` if the log was never completed.
    ///
    /// # Errors
    ///
    /// Fails if the footer is damaged or the database fails.
    pub(crate) fn read_footer(&self) -> Result<Option<LogFooter>, LogError> {
        let value = self
            .db
            .get(key(STREAM_FOOTER, 0))
            .map_err(|error| StoreError::database(&self.path, error))?;
        match value {
            None => Ok(None),
            Some(value) => match LogFooter::decode(&value) {
                Some(footer) => Ok(Some(footer)),
                None => Err(StoreError::damaged(&self.path, "the footer is malformed").into()),
            },
        }
    }

    /// Starts reading at the chunk that holds event `from_seq`.
    ///
    /// # Errors
    ///
    /// Fails if the database does.
    pub(crate) fn reader(&self, from_seq: u64) -> Result<LogReader, LogError> {
        let start = self
            .db
            .range(key(STREAM_EVENTS, 0)..=key(STREAM_EVENTS, from_seq))
            .next_back()
            .transpose()
            .map_err(|error| StoreError::database(&self.path, error))?
            .and_then(|(key, _)| seq_of(&key))
            .unwrap_or(0);
        Ok(LogReader {
            log: self.clone(),
            next_seq: start,
            previous: (start == 0).then_some(ChainHash::START),
        })
    }
}

fn seq_of(key: &[u8]) -> Option<u64> {
    let (_, seq) = key.split_first()?;
    Some(u64::from_be_bytes(seq.try_into().ok()?))
}

/// Reads the chunks of a log in order, and checks each.
#[derive(Debug)]
pub(crate) struct LogReader {
    log: RunLog,
    next_seq: u64,
    /// Hash of the last value read; unknown before the first one of a reader that began amid.
    previous: Option<ChainHash>,
}

impl LogReader {
    /// Reads the next chunk; `None` at the end of what is stored now.
    ///
    /// # Errors
    ///
    /// Fails if the chunk is damaged, or events between it and the previous one are missing.
    pub(crate) fn read_chunk(&mut self) -> Result<Option<Chunk>, LogError> {
        // One look-up for each chunk instead of one iterator for all: it sees what is appended
        // meanwhile, and pins no more of the tree in memory than it needs.
        let range = key(STREAM_EVENTS, self.next_seq)..=key(STREAM_EVENTS, u64::MAX);
        let entry = self.log.db.range(range).next().transpose();
        let entry = entry.map_err(|error| StoreError::database(&self.log.path, error))?;
        let Some((key, value)) = entry else {
            return Ok(None);
        };
        let first_seq = seq_of(&key)
            .ok_or_else(|| StoreError::damaged(&self.log.path, "a key is malformed"))?;
        if first_seq != self.next_seq {
            return Err(LogError::Missing {
                expected: self.next_seq,
                found: first_seq,
            });
        }
        let chunk = chunk::decode(first_seq, &value, self.previous)?;
        if chunk.count == 0 {
            return Err(LogError::Chunk {
                seq: first_seq,
                what: "it holds no event",
            });
        }
        self.previous = Some(ChainHash::of(&value));
        self.next_seq = chunk.next_seq();
        Ok(Some(chunk))
    }

    /// Checks, after the last chunk of a complete log, that nothing is missing at the end.
    ///
    /// # Errors
    ///
    /// Fails if the footer is missing or names another end.
    pub(crate) fn check_end(&self) -> Result<LogFooter, LogError> {
        let footer = self.log.read_footer()?.ok_or(LogError::Footer)?;
        if footer.events > self.next_seq {
            return Err(LogError::Missing {
                expected: self.next_seq,
                found: footer.events,
            });
        }
        if footer.events != self.next_seq || self.previous != Some(footer.last) {
            return Err(LogError::Footer);
        }
        Ok(footer)
    }
}
