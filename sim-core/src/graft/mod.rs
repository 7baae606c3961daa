//! Grafts: what may be attached where, and how the kernel calls it and checks what it answers.
//!
//! * `generated` is the interface, written by stubgen from `graft-sdk/interface`.
//! * [`inspect_graft`] says whether an object file can be a graft, and of which points.
//! * `registry` holds the attached grafts and their sandboxes.
//! * `invoke` enters one inside a transaction; `callables` answers what it asks of the kernel.
//!
//! Whatever comes from a graft, a returned pointer or an argument, is an allegation that is checked
//! against kernel state before it is used.
mod batch;
mod callables;
mod generated;
mod inspect;
pub(crate) mod invoke;
mod misbehaviour;
mod nearest;
pub(crate) mod registry;

pub use generated::{
    ArgumentInfo, Bound, CALLABLES, Callable, CallableInfo, Direction, GraftCallables, GraftPtr,
    POINTS, Point, PointInfo, Privilege, Shape, dispatch,
};
pub(crate) use inspect::find_symbol;
pub use inspect::{GraftRejected, GraftReport, inspect_graft};
pub(crate) use misbehaviour::Misbehaviour;
pub(crate) use nearest::nearest_point;
