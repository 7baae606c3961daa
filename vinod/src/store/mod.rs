//! What survives the daemon: the catalog, the log of each run, and large inputs.
//!
//! ```text
//!  <store>/lock            held by the one daemon that owns the store
//!  <store>/catalog/        sled: kernels, grafts, traces, runs        (catalog.rs, record.rs)
//!  <store>/runs/<number>/  sled: one event log                        (run_log.rs, chunk.rs)
//!  <store>/blobs/<sha256>  files: graft objects and decoded traces    (blobs.rs)
//! ```
//!
//! Everything here blocks on the disk: callers are operating-system threads or blocking tasks.
//! sled neither bounds its files nor notices a truncated one, so integrity is checked here: by a
//! record count and checksums in the catalog, by checksums, a hash chain and a footer in a log.

mod blobs;
mod catalog;
mod chunk;
mod database;
mod error;
mod record;
mod run_log;
mod space;
mod writer;

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

pub(crate) use blobs::{BlobWriter, Blobs, Digest};
pub(crate) use catalog::{Batch, Catalog, SCHEMA_VERSION};
pub(crate) use chunk::Chunk;
pub use error::{LogError, StoreError};
pub(crate) use record::{
    GraftKey, GraftRecord, GraftState, KernelRecord, KernelSettings, LogDetail, PolicyKind, Record,
    Removal, RequestRecord, RunEnd, RunGraft, RunRecord, RunState, RunTotals, RunWorkload,
    TraceKind, TraceRecord,
};
pub(crate) use run_log::{LogFooter, LogReader, RunLog};
pub(crate) use space::Space;
pub(crate) use writer::LogWriter;

/// Name of the file whose lock makes one daemon the owner of a store.
const LOCK_FILE: &str = "lock";

/// The daemon's store, open and locked.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    catalog: Catalog,
    blobs: Blobs,
    space: Arc<Space>,
    /// Held for its lock until the store is dropped.
    _lock: File,
}

impl Store {
    /// Opens the store at `path`, creating it if there is none.
    ///
    /// # Errors
    ///
    /// Fails if another daemon holds it, a newer version wrote it, or it is damaged.
    pub(crate) fn open(path: &Path, bytes_max: Option<u64>) -> Result<Store, StoreError> {
        create_private_dir(path)?;
        let lock = lock(path)?;
        let runs = path.join("runs");
        create_private_dir(&runs)?;
        let blobs = Blobs::open(&path.join("blobs"))?;
        let space = Arc::new(Space::measure(path, bytes_max)?);
        let catalog = Catalog::open(&path.join("catalog"), Arc::clone(&space))?;
        Ok(Store {
            path: path.to_path_buf(),
            catalog,
            blobs,
            space,
            _lock: lock,
        })
    }

    /// Kernels, grafts, traces and runs.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Graft objects and decoded traces.
    pub(crate) fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// The room the store may still fill.
    pub(crate) fn space(&self) -> &Arc<Space> {
        &self.space
    }

    /// Opens the event log of a run, creating it if there is none.
    ///
    /// # Errors
    ///
    /// Fails if the log is open already, unreadable, or from a newer version.
    pub(crate) fn open_run_log(&self, run: u64) -> Result<RunLog, StoreError> {
        RunLog::open(&self.run_path(run), Arc::clone(&self.space))
    }

    /// Deletes the event log of a run, which must not be open.
    ///
    /// # Errors
    ///
    /// Fails if its directory cannot be removed.
    pub(crate) fn delete_run_log(&self, run: u64) -> Result<(), StoreError> {
        let path = self.run_path(run);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(StoreError::io(&path, error))
            }
            _ => Ok(()),
        }
    }

    fn run_path(&self, run: u64) -> PathBuf {
        self.path.join("runs").join(run.to_string())
    }
}

/// Creates a directory that only its owner may enter.
fn create_private_dir(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| StoreError::io(path, error))
}

/// Takes the store's lock and leaves this process's identifier for whoever meets it.
fn lock(store: &Path) -> Result<File, StoreError> {
    use rustix::fs::{FlockOperation, flock};
    let path = store.join(LOCK_FILE);
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| StoreError::io(&path, error))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let holder = fs::read_to_string(&path).unwrap_or_default();
            let holder = holder.trim().parse().ok();
            return Err(StoreError::Locked {
                path: store.to_path_buf(),
                holder,
            });
        }
        Err(error) => return Err(StoreError::io(&path, error.into())),
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(|error| StoreError::io(&path, error))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_daemon_is_told_who_holds_the_store() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let first = Store::open(dir.path(), None).expect("the first one opens it");
        let error = Store::open(dir.path(), None).expect_err("the second one must not");
        let expected = format!(
            "store {} is locked by another vinod (process {}): stop it, or choose another --store",
            dir.path().display(),
            std::process::id()
        );
        assert_eq!(error.to_string(), expected);
        drop(first);
        Store::open(dir.path(), None).expect("the lock is gone with its holder");
    }
}
