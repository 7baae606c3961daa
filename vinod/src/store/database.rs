//! Opening sled databases.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::{StoreError, create_private_dir};

/// How long a database that was closed may take to let go of its files.
///
/// sled's threads drop their last references a moment after the owner has dropped the database.
/// No other process can hold it: the store's own lock came first.
const CLOSE_WAIT_MAX: Duration = Duration::from_secs(5);
/// Time from one attempt to the next.
const CLOSE_WAIT_STEP: Duration = Duration::from_millis(1);

/// Opens or creates the database in the directory `path`; it writes only when told to.
pub(super) fn open(path: &Path, cache_bytes: u64) -> Result<sled::Db, StoreError> {
    create_private_dir(path)?;
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(cache_bytes)
        .flush_every_ms(None);
    let deadline = Instant::now() + CLOSE_WAIT_MAX;
    loop {
        match config.open() {
            Err(error) if is_locked(&error) && Instant::now() < deadline => {
                thread::sleep(CLOSE_WAIT_STEP);
            }
            result => return result.map_err(|error| StoreError::database(path, error)),
        }
    }
}

/// Whether another handle holds the database; sled has no error of its own for that.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("acquire lock"))
}
