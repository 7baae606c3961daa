//! Content-addressed files: graft objects and decoded traces.
//!
//! A blob appears under its digest only when it is whole and on disk: it is written under a
//! temporary name, synced, renamed, and then its directory is synced.

use std::{
    fmt, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::{StoreError, create_private_dir};

/// The SHA-256 digest of some bytes.
///
/// Invariant: 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Digest(String);

impl Digest {
    /// Hashes `bytes`.
    pub(crate) fn of(bytes: &[u8]) -> Digest {
        Digest::from_raw(Sha256::digest(bytes).as_slice())
    }

    /// Returns `None` unless `text` is 64 lower-case hexadecimal digits.
    pub(crate) fn parse(text: &str) -> Option<Digest> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 64 && text.bytes().all(hex)).then(|| Digest(text.to_owned()))
    }

    /// The digits.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn from_raw(raw: &[u8]) -> Digest {
        Digest(to_hex(raw))
    }
}

/// Writes bytes as lower-case hexadecimal digits.
fn to_hex(raw: &[u8]) -> String {
    use fmt::Write as _;
    raw.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Digest, &'static str> {
        Digest::parse(&text).ok_or("not 64 hexadecimal digits")
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The directory of blobs.
#[derive(Clone, Debug)]
pub(crate) struct Blobs {
    dir: PathBuf,
}

impl Blobs {
    /// Opens the directory, and removes what an interrupted daemon left unfinished.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be created or cleared.
    pub(crate) fn open(dir: &Path) -> Result<Blobs, StoreError> {
        let unfinished = dir.join("unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(|error| StoreError::io(&unfinished, error))?;
        }
        create_private_dir(&unfinished)?;
        Ok(Blobs {
            dir: dir.to_path_buf(),
        })
    }

    /// Starts a blob whose digest is not known yet.
    ///
    /// # Errors
    ///
    /// Fails if no file can be created.
    pub(crate) fn create(&self) -> Result<BlobWriter, StoreError> {
        let dir = self.dir.join("unfinished");
        let file =
            tempfile::NamedTempFile::new_in(&dir).map_err(|error| StoreError::io(&dir, error))?;
        Ok(BlobWriter {
            dir: self.dir.clone(),
            file,
            hasher: Sha256::new(),
            bytes: 0,
        })
    }

    /// Writes a whole blob.
    ///
    /// # Errors
    ///
    /// Fails if the disk does.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let mut writer = self.create()?;
        writer.append(bytes)?;
        writer.commit()
    }

    /// Reads a blob and checks its digest.
    ///
    /// # Errors
    ///
    /// Fails if it is missing or not what was written.
    pub(crate) fn read(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let path = self.path(digest);
        let bytes = fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StoreError::damaged(&path, "the file is missing"),
            _ => StoreError::io(&path, error),
        })?;
        if Digest::of(&bytes) != *digest {
            return Err(StoreError::damaged(&path, "the content has another digest"));
        }
        Ok(bytes)
    }

    /// Whether a blob is stored; its content is not looked at.
    pub(crate) fn contains(&self, digest: &Digest) -> bool {
        self.path(digest).exists()
    }

    /// Deletes a blob that nothing refers to.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be removed.
    pub(crate) fn delete(&self, digest: &Digest) -> Result<(), StoreError> {
        let path = self.path(digest);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::io(&path, error))
            }
            _ => Ok(()),
        }
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.dir.join(digest.as_str())
    }
}

/// A blob being written; dropped before [`BlobWriter::commit`], it leaves nothing.
#[derive(Debug)]
pub(crate) struct BlobWriter {
    dir: PathBuf,
    file: tempfile::NamedTempFile,
    hasher: Sha256,
    bytes: u64,
}

impl BlobWriter {
    /// Appends bytes.
    ///
    /// # Errors
    ///
    /// Fails if the disk does.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file
            .write_all(bytes)
            .map_err(|error| StoreError::io(self.file.path(), error))
    }

    /// Bytes written so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Opens what was written so far for reading from its start.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be opened again.
    pub(crate) fn reopen(&self) -> Result<fs::File, StoreError> {
        self.file
            .reopen()
            .map_err(|error| StoreError::io(self.file.path(), error))
    }

    /// The digest of what was written so far.
    pub(crate) fn digest(&self) -> Digest {
        Digest::from_raw(self.hasher.clone().finalize().as_slice())
    }

    /// Makes the blob durable under its digest.
    ///
    /// # Errors
    ///
    /// Fails if the disk does.
    pub(crate) fn commit(self) -> Result<Digest, StoreError> {
        let digest = self.digest();
        let path = self.dir.join(digest.as_str());
        let failed = |error| StoreError::io(&path, error);
        self.file.as_file().sync_all().map_err(failed)?;
        self.file
            .persist(&path)
            .map_err(|error| failed(error.error))?;
        fs::File::open(&self.dir)
            .and_then(|dir| dir.sync_all())
            .map_err(failed)?;
        Ok(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blobs() -> (tempfile::TempDir, Blobs) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let blobs = Blobs::open(&dir.path().join("blobs")).expect("it opens");
        (dir, blobs)
    }

    #[test]
    fn a_blob_is_read_back_under_its_digest() {
        let (_dir, blobs) = blobs();
        let digest = blobs.write(b"abc").expect("it is written");
        assert_eq!(
            digest.as_str(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(blobs.read(&digest).expect("it is read"), b"abc");
    }

    #[test]
    fn an_unfinished_blob_leaves_nothing() {
        let (dir, blobs) = blobs();
        let mut writer = blobs.create().expect("it is created");
        writer.append(b"abc").expect("it is written");
        drop(writer);
        let unfinished = fs::read_dir(dir.path().join("blobs/unfinished")).expect("readable");
        assert_eq!(unfinished.count(), 0);
    }

    #[test]
    fn a_changed_blob_is_damage() {
        let (dir, blobs) = blobs();
        let digest = blobs.write(b"abc").expect("it is written");
        fs::write(dir.path().join("blobs").join(digest.as_str()), b"abd").expect("writable");
        let error = blobs.read(&digest).expect_err("the content has changed");
        assert!(
            error.to_string().contains("the content has another digest"),
            "{error}"
        );
    }
}
