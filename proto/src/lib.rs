//! The `vino.v1` gRPC interface: messages, clients and servers, generated from `proto/vino/v1`.
//!
//! Nothing here is written by hand but this file. The generated files are checked in, so that a
//! build needs neither `protoc` nor a build script; `tests/drift.rs` fails when they are stale
//! and, run with `VINO_BLESS=1`, refreshes them.
//!
//! Every message implements serde's traits with the [proto JSON mapping][json]: 64-bit integers
//! are strings, enum values are their names, times are RFC 3339. Field names stay in snake case
//! and defaults are written out, two options that mapping grants: a reader of `"faults": "0"`
//! should not have to know that a missing count means zero.
//!
//! [json]: https://protobuf.dev/programming-guides/json/

/// Package `vino.v1`.
pub mod v1 {
    include!("generated/vino.v1.rs");
    include!("generated/vino.v1.serde.rs");
}

pub use pbjson_types::Timestamp;
pub use prost::Message;
pub use prost_types::Any;

/// The compiled descriptors of the interface, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/vino.v1.bin");
