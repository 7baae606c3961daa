//! How much the store may still write.
//!
//! A full disk must fail the run that fills it and nothing else, yet sled refuses all further
//! work once one write of it failed. So room is asked for before each write, and a reserve is
//! kept back for the catalog, which has to record that the run failed.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use super::StoreError;

/// Bytes that only the catalog may use.
const RESERVE_BYTES: u64 = 16 << 20;
/// Bytes that sled may take on disk for one byte handed to it, times ten (1.38 measured).
const AMPLIFICATION_TENTHS: u64 = 15;
/// Directory levels of a store.
const DEPTH_MAX: u32 = 4;

/// The store's share of its disk.
#[derive(Debug)]
pub(crate) struct Space {
    path: PathBuf,
    bytes_max: Option<u64>,
    bytes_used: AtomicU64,
}

impl Space {
    /// Measures what the store at `path` uses now.
    ///
    /// # Errors
    ///
    /// Fails if a directory cannot be read.
    pub(crate) fn measure(path: &Path, bytes_max: Option<u64>) -> Result<Space, StoreError> {
        let used = scan_bytes(path, DEPTH_MAX).map_err(|error| StoreError::io(path, error))?;
        Ok(Space {
            path: path.to_path_buf(),
            bytes_max,
            bytes_used: AtomicU64::new(used),
        })
    }

    /// Claims room for `bytes` more, to be written next.
    ///
    /// # Errors
    ///
    /// Fails if the disk, or the configured share of it, has less.
    pub(crate) fn claim(&self, bytes: u64) -> Result<(), StoreError> {
        let needed = self.check(bytes)?;
        self.bytes_used.fetch_add(needed, Ordering::Relaxed);
        Ok(())
    }

    /// Checks that there is room for `bytes` more, and returns what they may take on disk.
    ///
    /// # Errors
    ///
    /// Fails if the disk, or the configured share of it, has less.
    pub(crate) fn check(&self, bytes: u64) -> Result<u64, StoreError> {
        let needed = bytes.saturating_mul(AMPLIFICATION_TENTHS) / 10;
        let free = self.free_bytes()?;
        if needed > free {
            return Err(StoreError::DiskFull {
                path: self.path.clone(),
                free_bytes: free,
                needed_bytes: needed,
            });
        }
        Ok(needed)
    }

    /// Bytes that may still be claimed.
    fn free_bytes(&self) -> Result<u64, StoreError> {
        let disk = rustix::fs::statvfs(&self.path)
            .map_err(|error| StoreError::io(&self.path, error.into()))?;
        let disk = disk.f_bavail.saturating_mul(disk.f_frsize);
        let disk = disk.saturating_sub(RESERVE_BYTES);
        let used = self.bytes_used.load(Ordering::Relaxed);
        let share = self.bytes_max.map(|max| max.saturating_sub(used));
        Ok(share.map_or(disk, |share| share.min(disk)))
    }

    /// Scans the store's directory again, and returns the bytes of its files.
    ///
    /// # Errors
    ///
    /// Fails if a directory cannot be read.
    pub(crate) fn scan(&self) -> Result<u64, StoreError> {
        let used =
            scan_bytes(&self.path, DEPTH_MAX).map_err(|error| StoreError::io(&self.path, error))?;
        self.bytes_used.store(used, Ordering::Relaxed);
        Ok(used)
    }
}

/// Sums the disk blocks of the files below `dir`.
fn scan_bytes(dir: &Path, depth: u32) -> io::Result<u64> {
    use std::os::unix::fs::MetadataExt as _;
    let mut total = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        // A file may be gone since it was listed: sled recycles its own.
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        if metadata.is_dir() {
            total += match depth {
                0 => 0,
                _ => scan_bytes(&entry.path(), depth - 1)?,
            };
        } else {
            total += metadata.blocks() * 512;
        }
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_beyond_the_share_is_refused_and_says_how_much_is_left() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let space = Space::measure(dir.path(), Some(1500)).expect("it is readable");
        space.claim(800).expect("1,200 of 1,500 bytes are free");
        let error = space.claim(800).expect_err("300 are left");
        assert!(
            error.to_string().contains("has 300 bytes left for 1200"),
            "{error}"
        );
    }
}
