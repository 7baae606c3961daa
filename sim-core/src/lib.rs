//! The simulated VINO kernel: virtual memory, transactions, grafts, replayable runs.
pub mod config;
pub mod event;
pub mod graft;
pub mod ids;
mod interim;
pub mod run;
pub mod workload;

pub use interim::{Engine, Rejection};
