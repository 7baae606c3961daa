//! The simulated VINO kernel: virtual memory, transactions, grafts, replayable runs.
//!
//! ```text
//!   workload (traces) --> run --> kernel --> vm      frames, address spaces, clock, swap
//!                          |        |-----> txn     undo and commit logs
//!                          v        `-----> graft   inspect, load, invoke, check --> vino-sandbox
//!                        event (canonical bytes, decoded by anyone)
//! ```
//!
//! There is no clock, thread, socket, file or global state here: a [`run::Run`] is a function of
//! its [`run::RunSpec`], so the same specification gives the same events, byte for byte. What the
//! CPU decides about a graft, a trap or a deadline, enters a replay as a recorded verdict.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod config;
pub mod event;
pub mod graft;
pub mod ids;
pub mod kernel;
pub mod run;
mod txn;
mod vm;
pub mod workload;

pub use config::KernelConfig;
pub use kernel::Kernel;
pub use run::{Run, RunSpec};
pub use vino_sandbox::{Engine, Rejection};
