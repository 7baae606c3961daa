//! What a daemon can be told.

use std::path::PathBuf;

/// Bounds on what clients may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a graft object.
    pub object_bytes_max: u64,
    /// Bytes of any other upload.
    pub upload_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            object_bytes_max: 16 << 20,
            upload_bytes_max: 4 << 30,
        }
    }
}

/// Where a daemon listens and keeps its store, and its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The unix socket.
    pub socket: PathBuf,
    /// The store's folder.
    pub store: PathBuf,
    /// Most bytes of the store; `None` for what the disk has.
    pub store_bytes_max: Option<u64>,
    /// Bounds on what clients may send.
    pub limits: Limits,
}

impl Config {
    /// Listens on `socket` and keeps its store in `store`, with the default limits.
    pub fn new(socket: PathBuf, store: PathBuf) -> Config {
        Config {
            socket,
            store,
            store_bytes_max: None,
            limits: Limits::default(),
        }
    }
}
