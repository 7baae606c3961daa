//! Event logs that are open: each at most once, closed when nobody uses it any more.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, Weak},
};

use super::lock;
use crate::store::{RunLog, Store, StoreError};

/// The open logs by run number.
#[derive(Debug, Default)]
pub(super) struct OpenLogs(Mutex<BTreeMap<u64, Weak<RunLog>>>);

impl OpenLogs {
    /// Shares the log of a run, and opens it if nobody has.
    pub(super) fn open(&self, store: &Store, run: u64) -> Result<Arc<RunLog>, StoreError> {
        let mut logs = lock(&self.0);
        if let Some(log) = logs.get(&run).and_then(Weak::upgrade) {
            return Ok(log);
        }
        logs.retain(|_, log| log.strong_count() > 0);
        let log = Arc::new(store.open_run_log(run)?);
        logs.insert(run, Arc::downgrade(&log));
        Ok(log)
    }

    /// Deletes the log of a run; false if somebody reads it.
    pub(super) fn delete(&self, store: &Store, run: u64) -> Result<bool, StoreError> {
        let mut logs = lock(&self.0);
        if logs.get(&run).is_some_and(|log| log.strong_count() > 0) {
            return Ok(false);
        }
        logs.remove(&run);
        store.delete_run_log(run)?;
        Ok(true)
    }
}
