//! Runs untrusted native x86-64 code in process, at native speed, after verifying it.
//!
//! ```text
//!  &[u8] --decode--> DecodedImage --link--> LinkedImage
//!          (ELF)                (imports)
//!        --verify--> VerifiedImage --new--> Instance --call--> u64
//!         (place, seal, verify in place)
//! ```
//!
//! Each arrow is the only constructor of the type to its right. A [`VerifiedImage`] is verified
//! once and has any number of instances, which share its code. An [`Instance`] owns 4 GiB of
//! address space in which its code may read, write and jump; whatever the code does ends as a
//! returned value or as a [`GraftFault`], never as damage to the process that hosts it.
//!
//! * `image` decodes a relocatable object and lays it out; it holds no unsafe code.
//! * [`verify`](verify()) decides whether final bytes are safe to run; it is the only thing trusted
//!   to, and shares no code with the rewriter that produced them.
//! * `exec` maps, seals, enters and stops verified code; all unsafe code of the project is there.
//!
//! The layout of a sandbox and the forms that the verifier accepts are those of the crate
//! `vino-abi`.
//!
//! ```no_run
//! use vino_sandbox::{DecodedImage, Engine, Instance, InstanceConfig, Limits, NoHost, Policy};
//! use vino_sandbox::VerifiedImage;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let object = std::fs::read("add.o")?;
//! let image = DecodedImage::decode(&object, &Limits::default())?.link(&mut |_| None)?;
//! let image = VerifiedImage::verify(&Engine::new()?, image, &Policy::default())?;
//! let mut instance = Instance::new(&image, InstanceConfig::default())?;
//! let add = instance.function::<(u32, u32), u32>("add")?;
//! assert_eq!(add.call(&mut instance, (2, 3), &mut NoHost)?, 5);
//! # Ok(())
//! # }
//! ```
//!
//! The example `plug_in_host` runs an untrusted C function that calls back into the program.
//!
//! # What is defended, and what is not
//!
//! [`threats`] tells: who attacks, what stops each attack, which test shows it, what is not defended
//! (speculative execution, other side channels, memory bandwidth), and what a program that embeds
//! this crate must do.
#![deny(missing_docs)]

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
compile_error!(
    "vino-sandbox verifies x86-64 machine code and contains it with Linux memory protection, \
     signals and the %gs base; an unverified fallback for other targets would be no sandbox"
);

mod exec;
mod image;
mod verify;

pub use exec::{
    ABORT_BAD_POINTER, Arguments, BadSlice, Caller, ConfigError, DEADLINE_MAX, DefineError, Engine,
    EngineError, Entry, ExecError, FaultKind, Function, GraftFault, GraftMemory, GraftSlice,
    HEAP_BYTES_MAX, Host, HostAbort, HostFunctions, HostResult, Instance, InstanceConfig,
    InstanceError, IntoHostFunction, LoadError, NESTING_MAX, NoHost, NoSuchFunction, RegisterValue,
    Registers, ReturnValue, STACK_BYTES_MAX, STACK_BYTES_MIN, SandboxAddr, SharedRegion,
    VerifiedImage,
};
pub use image::{
    DecodeError, DecodedImage, EntryOffset, Limits, LinkError, LinkedImage, RelocationProblem,
    SectionProblem, Segment, SegmentKind, SymbolProblem, SymbolTable, demangle,
};
pub use verify::{
    Diagnosis, Inspection, ListedInstruction, Policy, Rejection, Role, RoleCount, Rule, Summary,
    Target, Text, VIOLATIONS_MAX, VerifiedText, Violation, verify,
};

#[doc = include_str!("../THREATS.md")]
pub mod threats {}
