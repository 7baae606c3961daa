//! Streamed uploads: metadata first, then pieces, capped and checked before anything is kept.

use tonic::Status;

use super::status;
use crate::{host::HostError, store::Digest};

/// What a client announced of an upload.
#[derive(Clone, Debug)]
pub(super) struct Announced {
    size_bytes: u64,
    sha256: Digest,
}

impl Announced {
    /// Checks the fields of the metadata against the cap.
    pub(super) fn new(size_bytes: u64, sha256: &str, bytes_max: u64) -> Result<Announced, Status> {
        if size_bytes > bytes_max {
            return Err(status::from_host(HostError::Limit {
                subject: "upload size",
                problem: format!(
                    "the file has {size_bytes} bytes and vinod accepts {bytes_max}: make it \
                     smaller, or raise the limit of the daemon"
                ),
            }));
        }
        let sha256 = Digest::parse(sha256).ok_or_else(|| {
            let problem = "sha256: it is not 64 lower-case hexadecimal digits";
            status::invalid("metadata.sha256", problem)
        })?;
        Ok(Announced { size_bytes, sha256 })
    }

    /// Refuses what is longer than announced.
    pub(super) fn check_length(&self, bytes: u64) -> Result<(), Status> {
        if bytes <= self.size_bytes {
            return Ok(());
        }
        let problem = format!("more than the announced {} bytes came", self.size_bytes);
        Err(status::from_host(HostError::Upload { problem }))
    }

    /// Refuses what is shorter than announced, or different.
    pub(super) fn check_whole(&self, bytes: u64, digest: &Digest) -> Result<(), Status> {
        let problem = if bytes != self.size_bytes {
            format!("{bytes} of the announced {} bytes came", self.size_bytes)
        } else if *digest != self.sha256 {
            format!("its SHA-256 is {digest}, announced was {}", self.sha256)
        } else {
            return Ok(());
        };
        Err(status::from_host(HostError::Upload { problem }))
    }
}

/// The status of a stream whose messages come in the wrong order.
pub(super) fn out_of_order() -> Status {
    status::invalid(
        "part",
        "upload: the first message carries the metadata, all others a chunk",
    )
}
