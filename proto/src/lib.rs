//! The `vino.v1` gRPC interface: messages, clients and servers, generated from `proto/vino/v1`.
//!
//! Only this file is written by hand. The generated files are checked in, so that a build needs
//! neither `protoc` nor a build script; `tests/drift.rs` fails when they are stale and, run with
//! `VINO_BLESS=1`, refreshes them.
//!
//! Every message implements serde's traits with the [proto JSON mapping][json]: 64-bit integers
//! are strings, enum values are their names, times are RFC 3339. Field names stay in snake case
//! and defaults are written out, two options that mapping grants: a reader of `"faults": "0"`
//! should not have to know that a missing count means zero.
//!
//! [json]: https://protobuf.dev/programming-guides/json/

use std::{env, path::PathBuf};

/// Package `vino.v1`.
#[expect(
    clippy::large_enum_variant,
    reason = "the last message of a stream may be large"
)]
pub mod v1 {
    include!("generated/vino.v1.rs");
    include!("generated/vino.v1.serde.rs");
}

pub use pbjson_types::Timestamp;
pub use prost::Message;
pub use prost_types::Any;

/// The compiled descriptors of the interface, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/vino.v1.bin");

/// The type URL under which a [`v1::GraftRejection`] travels in the details of a status.
pub const GRAFT_REJECTION_TYPE_URL: &str = "type.googleapis.com/vino.v1.GraftRejection";

/// The socket on which `vinod` listens and clients connect unless told otherwise.
///
/// It is in `$XDG_RUNTIME_DIR`, which only its owner may enter, or else in `~/.local/state`.
pub fn default_socket_path() -> PathBuf {
    let dir = match env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty()) {
        Some(dir) => PathBuf::from(dir).join("vino"),
        None => default_state_dir(),
    };
    dir.join("vinod.sock")
}

/// The folder in which the daemon keeps its state unless told otherwise.
pub fn default_state_dir() -> PathBuf {
    let dir = match env::var_os("XDG_STATE_HOME").filter(|dir| !dir.is_empty()) {
        Some(dir) => PathBuf::from(dir),
        None => PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".local/state"),
    };
    dir.join("vino")
}
