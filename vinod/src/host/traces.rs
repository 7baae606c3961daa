//! Traces: imported, listed, kept decoded while they are in use.

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read},
    sync::{Arc, Mutex},
};

use sim_core::workload::{Trace, TraceError, TraceFormat, TraceLimits, belady_faults, read_trace};

use super::{Host, HostError, KNOWN_NAMES_MAX, check_name, lock, now_ms};
use crate::store::{BlobWriter, Digest, GraftRecord, Record, RunRecord, TraceKind, TraceRecord};

/// Decoded traces that are kept although nobody uses them.
const TRACES_KEPT_MAX: usize = 2;
/// Most references of one trace.
const REFERENCES_MAX: usize = 1 << 28;
/// Most bytes of one trace, after decompression: 64 for each reference.
const TRACE_BYTES_MAX: u64 = 64 * REFERENCES_MAX as u64;
/// The first bytes of a zstd frame.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A trace to import: its name and the uploaded file.
#[derive(Debug)]
pub(crate) struct ImportTrace {
    /// The name.
    pub(crate) name: String,
    /// The file's name, which tells the format.
    pub(crate) file_name: String,
    /// The format, if the user knows better.
    pub(crate) kind: Option<TraceKind>,
    /// The file, whole and of the announced digest.
    pub(crate) file: BlobWriter,
}

/// Decoded traces: the ones used last.
#[derive(Debug, Default)]
pub(super) struct TraceCache(Mutex<VecDeque<(Digest, Arc<Trace>)>>);

impl TraceCache {
    fn get(&self, blob: &Digest) -> Option<Arc<Trace>> {
        let mut kept = lock(&self.0);
        let at = kept.iter().position(|(digest, _)| digest == blob)?;
        let entry = kept.remove(at)?;
        let trace = Arc::clone(&entry.1);
        kept.push_front(entry);
        Some(trace)
    }

    fn put(&self, blob: Digest, trace: Arc<Trace>) {
        let mut kept = lock(&self.0);
        kept.push_front((blob, trace));
        kept.truncate(TRACES_KEPT_MAX);
    }

    fn forget(&self, blob: &Digest) {
        lock(&self.0).retain(|(digest, _)| digest != blob);
    }
}

impl Host {
    /// Decodes and stores a trace; the same one again is returned as it is.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be decoded, or the name belongs to another trace.
    pub(crate) fn import_trace(&self, import: ImportTrace) -> Result<TraceRecord, HostError> {
        check_name("name", &import.name)?;
        let kind = import.kind.unwrap_or_else(|| guess_kind(&import.file_name));
        let trace = decode(&import, kind).map_err(|error| HostError::Trace {
            name: import.name.clone(),
            error,
        })?;
        let bytes = trace.to_bytes();
        let record = TraceRecord {
            name: import.name,
            kind,
            references: trace.references().len() as u64,
            pages: u64::from(trace.pages()),
            blob: Digest::of(&bytes),
            size_bytes: bytes.len() as u64,
            created_ms: now_ms(),
        };
        let existing = self.store.catalog().get::<TraceRecord>(&record.key())?;
        if let Some(existing) = existing {
            return same_trace(existing, &record);
        }
        self.store.space().claim(record.size_bytes)?;
        self.store.blobs().write(&bytes)?;
        let mut batch = self.store.catalog().write()?;
        let existing = self.store.catalog().get::<TraceRecord>(&record.key())?;
        if let Some(existing) = existing {
            return same_trace(existing, &record);
        }
        // Until a record names it, the file may go with the last run of an equal trace.
        if !self.store.blobs().contains(&record.blob) {
            self.store.blobs().write(&bytes)?;
        }
        batch.put(&record)?;
        batch.claim_space()?;
        batch.commit()?;
        self.traces.put(record.blob.clone(), Arc::new(trace));
        Ok(record)
    }

    /// Reads what is known about a trace.
    ///
    /// # Errors
    ///
    /// Fails if there is none of that name.
    pub(crate) fn trace(&self, name: &str) -> Result<TraceRecord, HostError> {
        let catalog = self.store.catalog();
        match catalog.get(name.as_bytes())? {
            Some(trace) => Ok(trace),
            None => {
                let known = catalog.scan::<TraceRecord>(b"", None, KNOWN_NAMES_MAX)?;
                Err(HostError::NotFound {
                    noun: TraceRecord::NOUN,
                    name: name.to_owned(),
                    known: known.into_iter().map(|trace| trace.name).collect(),
                })
            }
        }
    }

    /// Lists traces by name, after one of them.
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub(crate) fn traces(
        &self,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<TraceRecord>, HostError> {
        Ok(self.store.catalog().scan(b"", after, limit)?)
    }

    /// Deletes a trace that no stored run uses.
    ///
    /// # Errors
    ///
    /// Fails if there is none of that name, or a run needs it.
    pub(crate) fn delete_trace(&self, name: &str) -> Result<(), HostError> {
        let catalog = self.store.catalog();
        let mut batch = catalog.write()?;
        let trace = self.trace(name)?;
        let mut user = None;
        catalog.scan_backwards::<RunRecord>(None, |run| {
            let uses = run.workloads.iter().any(|load| load.blob == trace.blob);
            if uses {
                user = Some(run.id());
            }
            !uses
        })?;
        if let Some(run) = user {
            return Err(HostError::WrongState {
                reason: "TRACE_BUSY",
                problem: format!(
                    "trace {name:?} is needed to replay {run}: delete the run first, with \
                     `vinoctl run delete {run}`"
                ),
            });
        }
        batch.delete::<TraceRecord>(name.as_bytes())?;
        batch.commit()?;
        self.traces.forget(&trace.blob);
        self.release_blob(&trace.blob)
    }

    /// Computes the faults of the optimal policy on a trace.
    ///
    /// # Errors
    ///
    /// Fails if there is no such trace, or no frame.
    pub(crate) fn optimum(&self, name: &str, frames: u32) -> Result<u64, HostError> {
        if frames == 0 {
            return Err(HostError::Invalid {
                field: "frames",
                problem: "zero frames: the optimum needs at least one frame".to_owned(),
            });
        }
        let blob = self.trace(name)?.blob;
        Ok(belady_faults(&*self.decoded_trace(&blob)?, frames))
    }

    /// Reads a stored trace, unless it is in memory already.
    pub(super) fn decoded_trace(&self, blob: &Digest) -> Result<Arc<Trace>, HostError> {
        if let Some(trace) = self.traces.get(blob) {
            return Ok(trace);
        }
        let trace = Arc::new(Trace::from_bytes(&self.store.blobs().read(blob)?)?);
        self.traces.put(blob.clone(), Arc::clone(&trace));
        Ok(trace)
    }

    /// Deletes a blob if no record names it any more.
    pub(super) fn release_blob(&self, blob: &Digest) -> Result<(), HostError> {
        let catalog = self.store.catalog();
        // Holding the right to write keeps new references from appearing meanwhile.
        let _batch = catalog.write()?;
        let mut used = false;
        catalog.scan_backwards::<RunRecord>(None, |run| {
            used = run.workloads.iter().any(|load| load.blob == *blob)
                || run.grafts.iter().any(|graft| graft.object == *blob);
            !used
        })?;
        if !used {
            catalog.scan_backwards::<GraftRecord>(None, |graft| {
                used = graft.object == *blob;
                !used
            })?;
        }
        if !used {
            catalog.scan_backwards::<TraceRecord>(None, |trace| {
                used = trace.blob == *blob;
                !used
            })?;
        }
        if !used {
            self.store.blobs().delete(blob)?;
            self.store.space().scan()?;
        }
        Ok(())
    }
}

fn same_trace(existing: TraceRecord, wanted: &TraceRecord) -> Result<TraceRecord, HostError> {
    if existing.blob == wanted.blob {
        return Ok(existing);
    }
    Err(HostError::Exists {
        noun: TraceRecord::NOUN,
        remedy: format!("delete it with `vinoctl trace delete {}`", existing.name),
        name: existing.name,
    })
}

fn guess_kind(file_name: &str) -> TraceKind {
    match TraceFormat::from_file_name(file_name) {
        TraceFormat::Pages => TraceKind::Pages,
        TraceFormat::ArcLis => TraceKind::ArcLis,
        TraceFormat::OracleGeneral => TraceKind::OracleGeneral,
    }
}

fn decode(import: &ImportTrace, kind: TraceKind) -> Result<Trace, TraceError> {
    let format = match kind {
        TraceKind::Pages => TraceFormat::Pages,
        TraceKind::ArcLis => TraceFormat::ArcLis,
        TraceKind::OracleGeneral => TraceFormat::OracleGeneral,
    };
    let limits = TraceLimits {
        references_max: REFERENCES_MAX,
        bytes_max: TRACE_BYTES_MAX,
        ..TraceLimits::default()
    };
    let file = import.file.reopen().map_err(io::Error::other)?;
    let mut file = BufReader::new(file);
    let compressed = file.fill_buf()?.starts_with(&ZSTD_MAGIC);
    let plain: Box<dyn Read> = match compressed {
        true => Box::new(zstd::Decoder::with_buffer(file)?),
        false => Box::new(file),
    };
    read_trace(BufReader::with_capacity(1 << 20, plain), format, limits)
}
