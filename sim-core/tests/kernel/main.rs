//! The kernel as its users meet it: runs with real grafts, compiled, instrumented and verified.
//!
//! Grafts come from `graft-sdk/examples` and from `grafts` beside this file; each is built here
//! with gcc, `misfit` and the assembler, as a user would.
mod callables;
mod errors;
mod harness;
mod hostile;
mod nesting;
mod points;
mod processes;
mod replay;
