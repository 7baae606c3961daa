//! The daemon that hosts simulated VINO kernels and runs untrusted grafts natively.
pub mod store;
