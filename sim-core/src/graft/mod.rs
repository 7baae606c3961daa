//! Grafts: what may be attached where, and how the kernel calls it and checks what it answers.
mod generated;
mod inspect;

pub use generated::{Callable, Point};
pub use inspect::{GraftRejected, GraftReport, inspect_graft};
