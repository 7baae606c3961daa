//! Loading grafts by the manual's own names (VINO manual 2).

use std::path::{Path, PathBuf};

use vino_proto::v1::Graft;

use crate::{CallError, Client, GraftUpload};

/// A graft point of one process, as `vino_graft_lookup` finds it.
#[derive(Clone, Debug)]
pub struct GraftPoint {
    client: Client,
    kernel: String,
    process: String,
    point: String,
}

/// Why a graft in a file could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum GraftFileError {
    /// The file cannot be read.
    #[error("cannot read graft {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The daemon refused it.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Client {
    /// Finds a graft point of a process by the name of its function.
    ///
    /// # Errors
    ///
    /// Fails if the kernel has no such point.
    pub async fn vino_graft_lookup(
        &self,
        kernel: &str,
        process: &str,
        point: &str,
    ) -> Result<GraftPoint, CallError> {
        let point = self.point(point).await?;
        Ok(GraftPoint {
            client: self.clone(),
            kernel: kernel.to_owned(),
            process: process.to_owned(),
            point: point.name,
        })
    }
}

impl GraftPoint {
    /// Loads the object file at `path` on this point.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read or the daemon refuses it.
    pub async fn vino_graft_load(&self, path: &Path) -> Result<Graft, GraftFileError> {
        let object = tokio::fs::read(path).await;
        let object = object.map_err(|source| GraftFileError::Read {
            path: path.to_path_buf(),
            source,
        })?;
        let upload = GraftUpload {
            kernel: self.kernel.clone(),
            process: self.process.clone(),
            point: self.point.clone(),
            name: String::new(),
        };
        Ok(self.client.load_graft(upload, &object).await?)
    }

    /// Unloads a graft that was loaded on this point.
    ///
    /// # Errors
    ///
    /// Fails if it is not loaded any more.
    pub async fn vino_graft_unload(&self, graft: &Graft) -> Result<Graft, CallError> {
        self.client.unload_graft(&self.kernel, &graft.name).await
    }
}
