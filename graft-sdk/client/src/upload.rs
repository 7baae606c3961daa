//! Streamed uploads: metadata first, then the bytes in pieces.

use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use vino_proto::v1::{
    Graft, ImportTraceMetadata, ImportTraceRequest, LoadGraftMetadata, LoadGraftRequest, Trace,
    TraceFormat, grafts_client::GraftsClient, import_trace_request, load_graft_request,
    traces_client::TracesClient,
};

use crate::{CallError, Client};

/// Bytes of an upload in one message.
const PIECE_BYTES: usize = 128 << 10;
/// Pieces that may wait for the connection.
const PIECES_QUEUED_MAX: usize = 4;

/// Where a graft is to be loaded, and under which name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraftUpload {
    /// The kernel.
    pub kernel: String,
    /// The process; may be empty if the kernel has one, or the point is global.
    pub process: String,
    /// The graft point.
    pub point: String,
    /// The graft's name; may be empty, the daemon then derives one.
    pub name: String,
}

impl Client {
    /// Uploads, verifies and attaches a graft.
    ///
    /// # Errors
    ///
    /// Fails if the daemon refuses it; [`CallError::rejection`] says what the verifier found.
    pub async fn load_graft(&self, upload: GraftUpload, object: &[u8]) -> Result<Graft, CallError> {
        let metadata = LoadGraftMetadata {
            kernel: upload.kernel,
            process: upload.process,
            point: upload.point,
            name: upload.name,
            size_bytes: object.len() as u64,
            sha256: sha256(object),
            request_id: String::new(),
        };
        let metadata = load_graft_request::Part::Metadata(metadata);
        let wrap = |part| LoadGraftRequest { part: Some(part) };
        let piece = |piece| wrap(load_graft_request::Part::Chunk(piece));
        let (pieces, stream) = mpsc::channel(PIECES_QUEUED_MAX);
        let mut grafts = GraftsClient::new(self.channel.clone());
        let (graft, ()) = tokio::join!(
            self.call(ReceiverStream::new(stream), |request| async move {
                grafts.load_graft(request).await
            }),
            send_pieces(pieces, wrap(metadata), object, piece),
        );
        graft
    }

    /// Uploads and decodes a trace; format and compression are guessed from `file_name` unless
    /// `format` is given.
    ///
    /// # Errors
    ///
    /// Fails if the daemon cannot decode it or has no room for it.
    pub async fn import_trace(
        &self,
        name: &str,
        file_name: &str,
        format: TraceFormat,
        file: &[u8],
    ) -> Result<Trace, CallError> {
        if name.is_empty() {
            return Err(CallError::local(
                Code::InvalidArgument,
                "a trace needs a name",
            ));
        }
        let metadata = ImportTraceMetadata {
            name: name.to_owned(),
            file_name: file_name.to_owned(),
            format: format.into(),
            size_bytes: file.len() as u64,
            sha256: sha256(file),
        };
        let metadata = import_trace_request::Part::Metadata(metadata);
        let wrap = |part| ImportTraceRequest { part: Some(part) };
        let piece = |piece| wrap(import_trace_request::Part::Chunk(piece));
        let (pieces, stream) = mpsc::channel(PIECES_QUEUED_MAX);
        let mut traces = TracesClient::new(self.channel.clone());
        let (trace, ()) = tokio::join!(
            self.call(ReceiverStream::new(stream), |request| async move {
                traces.import_trace(request).await
            }),
            send_pieces(pieces, wrap(metadata), file, piece),
        );
        trace
    }
}

/// Feeds an upload's stream until it is complete or the daemon has answered.
async fn send_pieces<M>(
    pieces: mpsc::Sender<M>,
    metadata: M,
    bytes: &[u8],
    wrap: impl Fn(Vec<u8>) -> M,
) {
    if pieces.send(metadata).await.is_err() {
        return;
    }
    for piece in bytes.chunks(PIECE_BYTES) {
        // A daemon that refuses an upload stops reading it: its answer says why.
        if pieces.send(wrap(piece.to_vec())).await.is_err() {
            return;
        }
    }
}

fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let digest = Sha256::digest(bytes);
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
