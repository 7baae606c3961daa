//! Maps, seals, enters and stops verified code; the only unsafe code of the project.
//!
//! ```text
//!  engine    handlers, watchdog, facts about the processor: once per process
//!    thread    signal stack, thread block, watch slots: once per thread
//!  verified  an image's final bytes, sealed, with the gates: once per image
//!    gates     the trusted code of a sandbox
//!  arena     the address space of all sandboxes
//!    memory    what is mapped in one sandbox, and the host's access to it
//!  instance  an image in its sandbox
//!    call      one invocation: entry (assembly), host functions, signals, fault
//! ```
//!
//! # Invariants
//!
//! * Only bytes that the verifier accepted, in place and sealed, become executable, and what the
//!   executor itself puts beside them: the gates, and the page that holds the sandbox's base.
//! * No page is ever writable and executable.
//! * A sandbox holds no address of the host, not even in its gates.
//! * A signal is a graft's only if it interrupts code in the sandbox whose base the thread loaded
//!   last, which nothing but that graft executes, so one that interrupts the host never is.
//! * What an invocation needs in order to end lives in its activation, not in the thread.
#![expect(
    unsafe_code,
    reason = "the only module that maps, enters and stops graft code"
)]

mod address;
mod arena;
mod call;
mod config;
mod engine;
mod entry;
mod error;
mod fault;
mod fork;
mod function;
mod functions;
mod gates;
mod host;
mod instance;
#[cfg(test)]
mod leaks;
mod memory;
mod shared;
mod signals;
#[cfg(test)]
mod storms;
mod sys;
#[cfg(test)]
mod tests;
mod thread;
mod verified;
mod watchdog;

pub use address::{BadSlice, GraftSlice, SandboxAddr};
pub use config::{
    ConfigError, DEADLINE_MAX, HEAP_BYTES_MAX, InstanceConfig, STACK_BYTES_MAX, STACK_BYTES_MIN,
};
pub use engine::Engine;
pub use error::{EngineError, ExecError, InstanceError, LoadError};
pub use fault::{FaultKind, GraftFault, Registers};
pub use function::{Arguments, Function, NoSuchFunction, RegisterValue, ReturnValue};
pub use functions::{
    ABORT_BAD_POINTER, Caller, DefineError, HostFunctions, HostResult, IntoHostFunction,
};
pub use host::{GraftMemory, Host, HostAbort, NoHost};
pub use instance::{Entry, Instance};
pub use shared::SharedRegion;
pub use verified::VerifiedImage;
pub use watchdog::NESTING_MAX;
