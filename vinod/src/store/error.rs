//! What can go wrong with a store, said so that its owner knows what to do.

use std::{
    io,
    path::{Path, PathBuf},
};

/// A failure of the store: of its files, not of a request.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the lock.
    #[error(
        "store {} is locked by another vinod{}: stop it, or choose another --store",
        path.display(),
        holder.map_or_else(String::new, |pid| format!(" (process {pid})"))
    )]
    Locked {
        /// The store.
        path: PathBuf,
        /// Process identifier of the holder, if it left one.
        holder: Option<u32>,
    },
    /// A newer version wrote it.
    #[error(
        "store {} has schema {found} and this vinod knows up to {supported}: use the vinod that \
         wrote it, or choose another --store",
        path.display()
    )]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// Version on disk.
        found: u32,
        /// Newest version that this program reads.
        supported: u32,
    },
    /// What is on disk is not what was written.
    #[error(
        "store {} is damaged: {what}: restore it from a copy, or choose another --store",
        path.display()
    )]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// No room is left for what had to be written.
    #[error(
        "disk full: {} has {free_bytes} bytes left for {needed_bytes}: delete runs with \
         `vinoctl run delete`, or make room",
        path.display()
    )]
    DiskFull {
        /// The store.
        path: PathBuf,
        /// Bytes left, the reserve for bookkeeping not counted.
        free_bytes: u64,
        /// Bytes that had to be written.
        needed_bytes: u64,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database refused.
    #[error("database {}: {source}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// Why.
        source: sled::Error,
    },
}

impl StoreError {
    /// Blames the file at `path`; a full disk is told apart.
    pub(crate) fn io(path: &Path, source: io::Error) -> StoreError {
        if source.kind() == io::ErrorKind::StorageFull {
            return StoreError::DiskFull {
                path: path.to_path_buf(),
                free_bytes: 0,
                needed_bytes: 0,
            };
        }
        StoreError::Io {
            path: path.to_path_buf(),
            source,
        }
    }

    /// Blames the database at `path`; a full disk and damage are told apart.
    pub(crate) fn database(path: &Path, source: sled::Error) -> StoreError {
        match source {
            sled::Error::Io(error) => StoreError::io(path, error),
            sled::Error::Corruption { .. } => StoreError::Damaged {
                path: path.to_path_buf(),
                what: "the database reports corruption".to_owned(),
            },
            source => StoreError::Database {
                path: path.to_path_buf(),
                source,
            },
        }
    }

    /// Says that what is on disk at `path` is not what was written.
    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> StoreError {
        StoreError::Damaged {
            path: path.to_path_buf(),
            what: what.into(),
        }
    }
}

/// A failure to read a run's event log back.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A chunk is not what was written.
    #[error("event log damaged at event {seq}: {what}")]
    Chunk {
        /// First event of the chunk.
        seq: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Events are missing between two chunks, or before the end.
    #[error("event log damaged: events {expected} to {found} are missing")]
    Missing {
        /// First missing event.
        expected: u64,
        /// First event after the hole.
        found: u64,
    },
    /// The log does not end as its footer says.
    #[error("event log damaged: its footer is missing or names another last chunk")]
    Footer,
}
