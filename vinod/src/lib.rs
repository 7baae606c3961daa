//! The daemon that hosts simulated VINO kernels and runs untrusted grafts natively.
//!
//! ```text
//!  clients --vino.v1 over a unix socket--> rpc/ --> host/ --> kernel threads (sim-core)
//!                                                    |
//!                                                  store/   catalog, run logs, blobs
//! ```
//!
//! `rpc` is the only part that knows messages, `host` decides, `store` remembers; the kernels know
//! none of them. [`Daemon::start`] runs one inside any program; the command `vinod` is a thin
//! shell around it.
#![deny(missing_docs)]

mod config;
mod daemon;
mod error_chain;
mod host;
mod rpc;
mod socket;
mod store;

pub use config::{Config, Limits};
pub use daemon::{Daemon, StartError};
pub use error_chain::error_chain;
pub use host::HostError;
pub use socket::SocketError;
pub use store::{LogError, StoreError};
