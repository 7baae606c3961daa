//! The catalog: small records of kernels, grafts, traces and runs in one database.
//!
//! ```text
//!  key [0]              the head: schema version, boot epoch, counts
//!  key [prefix][key]    a record, behind a checksum (record.rs)
//! ```
//!
//! A write changes records and the head in one batch and is on disk when it returns. sled opens
//! a truncated file without complaint, so the head counts the records, and a file beside the
//! database holds the number of writes: a catalog that knows of fewer has lost some.

use std::{
    fmt,
    fs::File,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::{Record, Space, StoreError, database};

/// Version of the records and of the layout above.
pub(crate) const SCHEMA_VERSION: u32 = 1;
/// Memory that the database may cache, in bytes.
const CACHE_BYTES: u64 = 16 << 20;
/// Key of the head.
const HEAD_KEY: [u8; 1] = [0];
/// Bytes of the checksum before a record.
const CHECKSUM_BYTES: usize = 4;
/// Name of the file that holds the number of writes, in the catalog's directory.
const WRITES_FILE: &str = "writes";

/// What holds for the catalog as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    schema: u32,
    boot_epoch: u64,
    /// Batches committed, this one included.
    writes: u64,
    records: u64,
    next_run: u64,
}

/// The open catalog.
pub(crate) struct Catalog {
    db: sled::Db,
    /// Holds `Head::writes` too, as a big-endian number; written after each flush.
    writes: File,
    path: PathBuf,
    space: Arc<Space>,
    boot_epoch: u64,
    /// Also orders the writers: whoever changes records holds it.
    head: Mutex<Head>,
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // sled's own format prints every record.
        f.debug_struct("Catalog")
            .field("path", &self.path)
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}

impl Catalog {
    /// Opens or creates the catalog, checks every record, and begins a new boot epoch.
    pub(super) fn open(path: &Path, space: Arc<Space>) -> Result<Catalog, StoreError> {
        let failed = |error| StoreError::database(path, error);
        let db = database::open(path, CACHE_BYTES)?;
        let mut head = match db.get(HEAD_KEY).map_err(failed)? {
            Some(value) => read_head(path, &value)?,
            None if !db.is_empty() => return Err(StoreError::damaged(path, "its head is missing")),
            // New, or the first daemon was killed before its first write. Had the database lost
            // its writes, `open_writes` below would know of them.
            None => Head {
                schema: SCHEMA_VERSION,
                boot_epoch: 0,
                writes: 0,
                records: 0,
                next_run: 1,
            },
        };
        check_records(path, &db, head.records)?;
        let writes = open_writes(path, head.writes)?;
        head.boot_epoch += 1;
        let catalog = Catalog {
            db,
            writes,
            path: path.to_path_buf(),
            space,
            boot_epoch: head.boot_epoch,
            head: Mutex::new(head),
        };
        catalog.write()?.commit()?;
        Ok(catalog)
    }

    /// How often the store was opened.
    pub(crate) fn boot_epoch(&self) -> u64 {
        self.boot_epoch
    }

    /// Reads the record with a key.
    ///
    /// # Errors
    ///
    /// Fails if the record is damaged or the database fails.
    pub(crate) fn get<R: Record>(&self, key: &[u8]) -> Result<Option<R>, StoreError> {
        let value = self.db.get(full_key::<R>(key));
        let value = value.map_err(|error| StoreError::database(&self.path, error))?;
        value.map(|value| self.decode(&value)).transpose()
    }

    /// Reads up to `limit` records whose keys start with `prefix` and come after `after`.
    ///
    /// # Errors
    ///
    /// Fails if a record is damaged or the database fails.
    pub(crate) fn scan<R: Record>(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<R>, StoreError> {
        let prefix = full_key::<R>(prefix);
        let start = after.map_or_else(|| prefix.clone(), full_key::<R>);
        let entries = self.db.range(start.clone()..);
        entries
            .take_while(|entry| match entry {
                Ok((key, _)) => key.starts_with(&prefix),
                Err(_) => true,
            })
            .filter(|entry| match entry {
                Ok((key, _)) => after.is_none() || key.as_ref() != start,
                Err(_) => true,
            })
            .take(limit)
            .map(|entry| self.decode(&entry.map_err(|error| self.failed(error))?.1))
            .collect()
    }

    /// Reads records of one kind from the last key before `before` backwards, while `visit` asks
    /// for more.
    ///
    /// # Errors
    ///
    /// Fails if a record is damaged or the database fails.
    pub(crate) fn scan_backwards<R: Record>(
        &self,
        before: Option<&[u8]>,
        mut visit: impl FnMut(R) -> bool,
    ) -> Result<(), StoreError> {
        let end = match before {
            Some(key) => full_key::<R>(key),
            None => vec![R::PREFIX + 1],
        };
        for entry in self.db.range(vec![R::PREFIX]..end).rev() {
            let (_, value) = entry.map_err(|error| self.failed(error))?;
            if !visit(self.decode(&value)?) {
                break;
            }
        }
        Ok(())
    }

    /// Begins a write; it excludes other writers until it is committed or dropped.
    ///
    /// # Errors
    ///
    /// Fails if the disk is too full for any record.
    pub(crate) fn write(&self) -> Result<Batch<'_>, StoreError> {
        let head = self.lock_head();
        Ok(Batch {
            catalog: self,
            changed: *head,
            head,
            batch: sled::Batch::default(),
            bytes: 0,
        })
    }

    fn lock_head(&self) -> MutexGuard<'_, Head> {
        // A writer that panicked has committed nothing, so the head is as it was.
        self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn decode<R: Record>(&self, value: &[u8]) -> Result<R, StoreError> {
        let json = checked(value)
            .ok_or_else(|| StoreError::damaged(&self.path, format!("a {} record", R::NOUN)))?;
        serde_json::from_slice(json).map_err(|error| {
            StoreError::damaged(&self.path, format!("a {} record: {error}", R::NOUN))
        })
    }

    fn failed(&self, error: sled::Error) -> StoreError {
        StoreError::database(&self.path, error)
    }
}

/// Changes to the catalog that become true together.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    catalog: &'a Catalog,
    head: MutexGuard<'a, Head>,
    changed: Head,
    batch: sled::Batch,
    bytes: u64,
}

impl Batch<'_> {
    /// The next run number; taken when the batch is committed.
    pub(crate) fn next_run(&mut self) -> u64 {
        let number = self.changed.next_run;
        self.changed.next_run += 1;
        number
    }

    /// Writes a record, new or changed.
    ///
    /// # Errors
    ///
    /// Fails if the database does.
    pub(crate) fn put<R: Record>(&mut self, record: &R) -> Result<(), StoreError> {
        let key = full_key::<R>(&record.key());
        if !self.contains(&key)? {
            self.changed.records += 1;
        }
        let value = sealed(record);
        self.bytes += (key.len() + value.len()) as u64;
        self.batch.insert(key, value);
        Ok(())
    }

    /// Deletes a record, if it is there.
    ///
    /// # Errors
    ///
    /// Fails if the database does.
    pub(crate) fn delete<R: Record>(&mut self, key: &[u8]) -> Result<(), StoreError> {
        let key = full_key::<R>(key);
        if self.contains(&key)? {
            self.changed.records -= 1;
            self.batch.remove(key);
        }
        Ok(())
    }

    /// Makes the changes true and durable.
    ///
    /// # Errors
    ///
    /// Fails if the disk does; then nothing has changed.
    pub(crate) fn commit(mut self) -> Result<(), StoreError> {
        let Catalog { db, writes, .. } = self.catalog;
        self.changed.writes += 1;
        self.batch.insert(&HEAD_KEY, sealed(&self.changed));
        db.apply_batch(std::mem::take(&mut self.batch))
            .and_then(|()| db.flush())
            .map_err(|error| self.catalog.failed(error))?;
        *self.head = self.changed;
        writes
            .write_all_at(&self.changed.writes.to_be_bytes(), 0)
            .and_then(|()| writes.sync_data())
            .map_err(|error| StoreError::io(&self.catalog.path.join(WRITES_FILE), error))
    }

    /// Refuses the batch if the disk has no room for it; for what a user can be refused.
    ///
    /// # Errors
    ///
    /// Fails if the disk is full.
    pub(crate) fn claim_space(&self) -> Result<(), StoreError> {
        self.catalog.space.claim(self.bytes)
    }

    fn contains(&self, key: &[u8]) -> Result<bool, StoreError> {
        let catalog = self.catalog;
        let found = catalog.db.contains_key(key);
        found.map_err(|error| catalog.failed(error))
    }
}

fn full_key<R: Record>(key: &[u8]) -> Vec<u8> {
    let mut full = vec![R::PREFIX];
    full.extend(key);
    full
}

/// Serializes a record behind its checksum.
fn sealed(record: &impl Serialize) -> Vec<u8> {
    let json = serde_json::to_vec(record).expect("a record has string keys and no failing field");
    let mut value = crc32c::crc32c(&json).to_be_bytes().to_vec();
    value.extend(json);
    value
}

/// The JSON behind a checksum that is right.
fn checked(value: &[u8]) -> Option<&[u8]> {
    let (checksum, json) = value.split_first_chunk::<CHECKSUM_BYTES>()?;
    (crc32c::crc32c(json).to_be_bytes() == *checksum).then_some(json)
}

/// The part of any version's head that every version can read.
#[derive(Deserialize)]
struct HeadVersion {
    schema: u32,
}

fn read_head(path: &Path, value: &[u8]) -> Result<Head, StoreError> {
    let malformed = || StoreError::damaged(path, "its head is malformed");
    let json = checked(value).ok_or_else(malformed)?;
    let version: HeadVersion = serde_json::from_slice(json).map_err(|_| malformed())?;
    if version.schema > SCHEMA_VERSION {
        return Err(StoreError::NewerSchema {
            path: path.to_path_buf(),
            found: version.schema,
            supported: SCHEMA_VERSION,
        });
    }
    serde_json::from_slice(json).map_err(|_| malformed())
}

/// Opens the file that holds the number of writes, and checks that the database has them all.
fn open_writes(path: &Path, in_database: u64) -> Result<File, StoreError> {
    let file_path = path.join(WRITES_FILE);
    let failed = |error| StoreError::io(&file_path, error);
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&file_path)
        .map_err(failed)?;
    let mut bytes = [0; 8];
    let on_file = match file.metadata().map_err(failed)?.len() {
        // A crash may have come between creating the file and writing it.
        0 => 0,
        _ => {
            file.read_exact_at(&mut bytes, 0).map_err(failed)?;
            u64::from_be_bytes(bytes)
        }
    };
    if on_file > in_database {
        return Err(StoreError::damaged(
            path,
            format!("{on_file} writes were made and it knows of {in_database}"),
        ));
    }
    Ok(file)
}

fn check_records(path: &Path, db: &sled::Db, expected: u64) -> Result<(), StoreError> {
    let mut found = 0;
    for entry in db.iter() {
        let (key, value) = entry.map_err(|error| StoreError::database(path, error))?;
        if checked(&value).is_none() {
            return Err(StoreError::damaged(
                path,
                format!(
                    "the record {} does not match its checksum",
                    key.escape_ascii()
                ),
            ));
        }
        found += u64::from(*key != HEAD_KEY);
    }
    if found != expected {
        return Err(StoreError::damaged(
            path,
            format!("{found} records where {expected} were written"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
