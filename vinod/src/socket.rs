//! The unix socket: only its owner may reach it, and only one daemon may have it.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use tokio::net::{UnixListener, UnixStream};
use tokio_stream::{Stream, StreamExt as _, wrappers::UnixListenerStream};

/// Why the daemon cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Another daemon listens there.
    #[error(
        "socket {} is in use by another vinod: stop it, or choose another --socket",
        .0.display()
    )]
    InUse(PathBuf),
    /// Something that is no socket has the name.
    #[error("{} exists and is no socket: remove it, or choose another --socket", .0.display())]
    NotASocket(PathBuf),
    /// The operating system refused.
    #[error("cannot listen on socket {}: {source}", path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The socket while the daemon listens; its file goes with it.
#[derive(Debug)]
pub(crate) struct Socket {
    path: PathBuf,
}

impl Socket {
    /// Listens on `path`; a file that a dead daemon left there is replaced.
    pub(crate) async fn bind(path: &Path) -> Result<(Socket, UnixListener), SocketError> {
        let failed = |source| SocketError::Io {
            path: path.to_path_buf(),
            source,
        };
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            // Created closed; a folder that exists is its owner's business.
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true).mode(0o700);
            builder.create(dir).map_err(failed)?;
        }
        remove_stale(path).await?;
        // The file appears with the mode of the process, so the listener accepts nobody until
        // the mode is right: it checks every peer's credentials anyway.
        let listener = UnixListener::bind(path).map_err(failed)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let socket = Socket {
            path: path.to_path_buf(),
        };
        Ok((socket, listener))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Nothing can be done about a file that stays: the next daemon replaces it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes the file of a daemon that is gone.
async fn remove_stale(path: &Path) -> Result<(), SocketError> {
    use std::os::unix::fs::FileTypeExt as _;
    let failed = |source| SocketError::Io {
        path: path.to_path_buf(),
        source,
    };
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    if !metadata.file_type().is_socket() {
        return Err(SocketError::NotASocket(path.to_path_buf()));
    }
    match UnixStream::connect(path).await {
        Ok(_) => Err(SocketError::InUse(path.to_path_buf())),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            let socket = path.display();
            tracing::info!(%socket, "replacing the socket of a daemon that is gone");
            fs::remove_file(path).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

/// The connections of this user and of root; all others are hung up on.
pub(crate) fn accept_own(
    listener: UnixListener,
) -> impl Stream<Item = io::Result<UnixStream>> + Send {
    let own = rustix::process::geteuid().as_raw();
    UnixListenerStream::new(listener).filter_map(move |connection| {
        let connection = match connection {
            Ok(connection) => connection,
            Err(error) => return Some(Err(error)),
        };
        match connection.peer_cred() {
            Ok(peer) if peer.uid() == own || peer.uid() == 0 => Some(Ok(connection)),
            Ok(peer) => {
                tracing::warn!(uid = peer.uid(), "refused a connection of another user");
                None
            }
            Err(error) => {
                tracing::warn!(%error, "refused a connection without credentials");
                None
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_socket_is_closed_to_others_and_gone_afterwards() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("vino/vinod.sock");
        let (socket, _listener) = Socket::bind(&path).await.expect("nobody has it");
        let mode = |path: &Path| {
            fs::metadata(path)
                .expect("it is there")
                .permissions()
                .mode()
        };
        assert_eq!(mode(&path) & 0o777, 0o600);
        assert_eq!(mode(&dir.path().join("vino")) & 0o777, 0o700);
        drop(socket);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_live_socket_is_left_alone_and_a_dead_one_replaced() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("vinod.sock");
        let (socket, listener) = Socket::bind(&path).await.expect("nobody has it");
        let error = Socket::bind(&path).await.expect_err("it is in use");
        let expected = format!(
            "socket {} is in use by another vinod: stop it, or choose another --socket",
            path.display()
        );
        assert_eq!(error.to_string(), expected);
        drop(listener);
        std::mem::forget(socket);
        Socket::bind(&path).await.expect("its daemon is gone");
    }

    #[tokio::test]
    async fn a_file_of_that_name_is_not_removed() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("notes.txt");
        fs::write(&path, "precious").expect("it can be written");
        let error = Socket::bind(&path).await.expect_err("it is no socket");
        assert!(
            error.to_string().contains("exists and is no socket"),
            "{error}"
        );
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "precious");
    }
}
