//! Runs assembled grafts in the real executor: what they may do, and how they end.
//!
//! Every test assembles its graft with `as`. The forms that the verifier asks for are macros of
//! `prelude.s`, so a test reads as the instructions that matter.

mod attacks;
mod calls;
mod crossings;
mod deadlines;
mod escapes;
mod faults;
mod fixture;
mod handovers;
mod host;
mod isolation;
mod lifecycle;
mod many;
mod prepared;
mod typed;
