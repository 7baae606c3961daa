//! Workloads: what processes do to memory, as traces of page references.
//!
//! [`read_trace`] decodes the formats people have, [`Trace`] is the one form the kernel runs, and
//! [`belady_faults`] is the floor below which no policy can get. [`generate`] makes traces of known
//! shape for benchmarks. Decompression happens outside: a reader yields plain bytes here.
mod belady;
mod formats;
pub mod generate;
mod trace;

pub use belady::belady_faults;
pub use formats::{TraceFormat, read_trace};
pub use trace::{
    REFERENCES_MAX, Reference, Trace, TraceBuilder, TraceBytesError, TraceError, TraceLimits,
};
