//! Runs untrusted native x86-64 code in process, at native speed, after verifying it.
//!
//! A program gives this crate an object file of whatever origin, and may then call its functions
//! in a few nanoseconds. The code runs on the caller's thread and on the bare processor; what it
//! cannot do is leave its *sandbox*, 4 GiB of address space of its own. Whatever it tries ends as
//! a returned value or as a [`GraftFault`], never as damage to the process. Untrusted code is
//! called a *graft* here, as in VINO, the operating system where this began.
//!
//! ```text
//!  &[u8] --decode--> DecodedImage --link--> LinkedImage
//!          (ELF)                (imports)
//!        --verify--> VerifiedImage --new--> Instance --function--> Function --call--> value
//!         (place, seal, verify in place)
//! ```
//!
//! Each arrow is the only constructor of the type to its right. So whoever holds an [`Instance`]
//! holds code that was verified, byte by byte, where it runs.
//!
//! ```
//! use vino_sandbox::{DecodedImage, Engine, Instance, InstanceConfig, Limits, NoHost, Policy};
//! use vino_sandbox::VerifiedImage;
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc_build.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Any tool may have made the object; `build` runs gcc, `misfit` and as.
//! let object = build("uint32_t add(uint32_t a, uint32_t b) { return a + b; }");
//!
//! let engine = Engine::new()?;
//! let image = DecodedImage::decode(&object, &Limits::default())?;
//! let image = image.link(&mut |_import| None)?;
//! let image = VerifiedImage::verify(&engine, image, &Policy::default())?;
//! let mut instance = Instance::new(&image, InstanceConfig::default())?;
//! let add = instance.function::<(u32, u32), u32>("add")?;
//! assert_eq!(add.call(&mut instance, (2, 3), &mut NoHost)?, 5);
//! # Ok(())
//! # }
//! ```
//!
//! # Making objects
//!
//! An object is a relocatable ELF file whose code keeps the verifier's rules. Compilers do not
//! keep them by themselves: `misfit` rewrites the assembly that gcc, clang or rustc write, and the
//! crate `vino-toolchain` runs the whole chain and adds the parts of a small C library that are
//! needed. Neither is trusted, and this crate uses neither. By hand:
//!
//! ```text
//! gcc -S -O2 -fPIC -ffreestanding -fno-ipa-ra -fcf-protection=none -fno-stack-protector add.c
//! misfit -crws -i add.s -o add.misfit && as add.misfit -o add.o
//! ```
//!
//! # Engine
//!
//! [`Engine::new`] prepares the process once: handlers for the signals by which the processor
//! refuses an instruction, and a watchdog thread for deadlines. Engines are handles to that. What
//! faults outside of grafts still reaches the handlers that were there before. [`Engine::notice`]
//! tells if something makes this machine slower than it could be.
//!
//! # Images
//!
//! [`DecodedImage::decode`] parses the object within [`Limits`]; [`DecodedImage::link`] lays it
//! out and asks a closure for the index of each function it imports; [`VerifiedImage::verify`]
//! places the final bytes in sealed memory and verifies them there. An image that breaks a rule is
//! not loaded at all, and the [`Rejection`] tells its author where, which [`Rule`], and what to
//! do:
//!
//! ```
//! use vino_sandbox::{DecodedImage, Diagnosis, Engine, Limits, LoadError, Policy, Rule};
//! use vino_sandbox::VerifiedImage;
//! # use std::process::Command;
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc_build.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("plain.o");
//! # let source = folder.path().join("plain.c");
//! # std::fs::write(&source, "int load(int *from) { return *from; }")?;
//! # let mut gcc = Command::new("gcc");
//! # gcc.args(["-c", "-O2", "-fPIC", "-fcf-protection=none", "-fno-asynchronous-unwind-tables"]);
//! # assert!(gcc.arg(&source).arg("-o").arg(&path).status()?.success());
//! // Straight from gcc: int load(int *from) { return *from; }
//! let object = std::fs::read(path)?;
//! let image = DecodedImage::decode(&object, &Limits::default())?.link(&mut |_| None)?;
//! let verified = VerifiedImage::verify(&Engine::new()?, image, &Policy::default());
//! let Err(LoadError::Rejected(rejection)) = verified else {
//!     panic!("nobody checks where it reads");
//! };
//! assert_eq!(rejection.diagnosis, Diagnosis::NotInstrumented);
//! assert!(rejection.violations.iter().any(|violation| violation.rule == Rule::R4));
//! println!("{rejection}");
//! # Ok(())
//! # }
//! ```
//!
//! # Instances
//!
//! [`Instance::new`] gives an image a sandbox, in some microseconds: the pages of code are the
//! image's, the rest is fresh. One image has any number of instances, one process at least ten
//! thousand. They share nothing that can be written, may be sent to other threads, and give
//! everything back when they are dropped. [`Instance::reset`] makes the memory what it was at
//! first, for less than a new instance costs.
//!
//! ```
//! use vino_sandbox::{DecodedImage, Engine, Instance, InstanceConfig, Limits, NoHost, Policy};
//! use vino_sandbox::VerifiedImage;
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc_build.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let object = build("static uint64_t n; uint64_t count(void) { return ++n; }");
//! let image = DecodedImage::decode(&object, &Limits::default())?.link(&mut |_| None)?;
//! let image = VerifiedImage::verify(&Engine::new()?, image, &Policy::default())?;
//!
//! let new = |_| Instance::new(&image, InstanceConfig::default());
//! let mut instances: Vec<Instance> = (0..100).map(new).collect::<Result<_, _>>()?;
//! // A function belongs to the image and works on each of its instances.
//! let count = instances[0].function::<(), u64>("count")?;
//! for instance in &mut instances {
//!     assert_eq!(count.call(instance, (), &mut NoHost)?, 1);
//! }
//! assert_eq!(count.call(&mut instances[7], (), &mut NoHost)?, 2);
//! instances[7].reset()?;
//! assert_eq!(count.call(&mut instances[7], (), &mut NoHost)?, 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Memory and heap
//!
//! Pointers that a graft holds or is given are addresses in its sandbox: [`SandboxAddr`]. The host
//! reads and writes there by copying ([`Instance::read`], [`Instance::write`]); every range is
//! checked, so a graft's pointer never makes the host fault. A heap grows up to a limit, at the
//! host's wish with [`Instance::grow_heap`] or at the graft's through an import;
//! [`HostFunctions::define_heap`] is that import, on which the `malloc` of the SDK stands. A
//! [`SharedRegion`] is memory that the host writes and any number of grafts read in place.
//!
//! ```
//! use vino_sandbox::{DecodedImage, Engine, HostFunctions, Instance, InstanceConfig, Limits};
//! use vino_sandbox::{Policy, SandboxAddr, VerifiedImage};
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc_build.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let object = build(
//!     "#include <stdlib.h>
//!      #include <string.h>
//!      char *twice(const char *text, uint32_t length) {
//!          char *copy = malloc(2 * length);
//!          if (copy == NULL) return NULL;
//!          memcpy(copy, text, length);
//!          return memcpy(copy + length, text, length) - length;
//!      }",
//! );
//! let mut functions = HostFunctions::<()>::new();
//! functions.define_heap()?;
//! let image = DecodedImage::decode(&object, &Limits::default())?;
//! let image = image.link(&mut |import| functions.resolve(import))?;
//! let image = VerifiedImage::verify(&Engine::new()?, image, &Policy::default())?;
//! let config = InstanceConfig { heap_bytes_max: 1 << 20, ..InstanceConfig::default() };
//! let mut instance = Instance::new(&image, config)?;
//!
//! let text = instance.grow_heap(4096).expect("far from the limit");
//! instance.write(text, b"tick")?;
//! let twice = instance.function::<(SandboxAddr, u32), SandboxAddr>("twice")?;
//! let copy = twice.call(&mut instance, (text, 4), &mut functions.host(&mut ()))?;
//! let mut bytes = [0; 8];
//! instance.read(copy, &mut bytes)?;
//! assert_eq!(&bytes, b"ticktick");
//! # Ok(())
//! # }
//! ```
//!
//! # Functions
//!
//! [`Instance::function`] finds a global function, with the types that the embedder knows it has:
//! up to six integers, booleans and pointers, and one result. [`Instance::entry`] and
//! [`Instance::call`] are the same without types. A call that returns makes no system call and
//! allocates nothing.
//!
//! # Host functions
//!
//! A graft can do nothing to the outside but call what it imports. [`HostFunctions`] are closures
//! with typed parameters, by name. Each gets a [`Caller`], through which it reaches the embedder's
//! state, the graft's memory, and the graft itself, which it may call back; it ends the invocation
//! by returning a [`HostAbort`]. The trait [`Host`] is what lies below, for hosts that dispatch by
//! themselves.
//!
//! ```
//! use vino_sandbox::{Caller, DecodedImage, Engine, FaultKind, Function, HostAbort, HostFunctions};
//! use vino_sandbox::{Instance, InstanceConfig, Limits, Policy, SandboxAddr, VerifiedImage};
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc_build.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! struct Console {
//!     lines: Vec<String>,
//!     double: Option<Function<(u32,), u32>>,
//! }
//! const TOO_MUCH: HostAbort = HostAbort(1);
//!
//! let mut functions = HostFunctions::<Console>::new();
//! functions.define("print", |caller: &mut Caller<'_, '_, Console>, at: SandboxAddr, n: u32| {
//!     // What the graft says about its memory is a claim; this checks it and copies.
//!     let text = caller.read_bytes(at, n.min(80))?;
//!     caller.state.lines.push(String::from_utf8_lossy(&text).into_owned());
//!     if caller.state.lines.len() > 2 { Err(TOO_MUCH) } else { Ok(()) }
//! })?;
//! functions.define("ask", |caller: &mut Caller<'_, '_, Console>, n: u32| {
//!     let double = caller.state.double.expect("set before the call");
//!     caller.call_back(double, (n,)).map_err(|_fault| TOO_MUCH)
//! })?;
//!
//! let object = build(
//!     r#"void print(const char *text, uint32_t length);
//!        uint32_t ask(uint32_t n);
//!        uint32_t twice(uint32_t n) { return 2 * n; }
//!        uint32_t run(uint32_t lines) {
//!            while (lines-- > 0) print("hello", 5);
//!            return ask(21);
//!        }"#,
//! );
//! let image = DecodedImage::decode(&object, &Limits::default())?;
//! let image = image.link(&mut |import| functions.resolve(import))?;
//! let image = VerifiedImage::verify(&Engine::new()?, image, &Policy::default())?;
//! let mut instance = Instance::new(&image, InstanceConfig::default())?;
//! let run = instance.function::<(u32,), u32>("run")?;
//! let mut console = Console { lines: Vec::new(), double: Some(instance.function("twice")?) };
//!
//! assert_eq!(run.call(&mut instance, (2,), &mut functions.host(&mut console))?, 42);
//! assert_eq!(console.lines, ["hello", "hello"]);
//! let fault = run.call(&mut instance, (1,), &mut functions.host(&mut console)).unwrap_err();
//! assert_eq!(fault.kind, FaultKind::Aborted(1));
//! # Ok(())
//! # }
//! ```
//!
//! # Faults
//!
//! A graft that traps, overflows its stack, or misses its deadline is ended where it is, and the
//! call returns a [`GraftFault`]: what it did, the instruction, the function, the address, all
//! registers. The instance can be called again at once. Its memory is as it was at that moment, so
//! most embedders reset it or drop it.
//!
//! ```
//! use std::time::Duration;
//! use vino_sandbox::{DecodedImage, Engine, FaultKind, Instance, InstanceConfig, Limits, NoHost};
//! use vino_sandbox::{Policy, VerifiedImage};
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc_build.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let object = build(
//!     "void crash(void) { *(volatile int *)16 = 1; }
//!      void spin(void) { for (;;) ; }",
//! );
//! let image = DecodedImage::decode(&object, &Limits::default())?.link(&mut |_| None)?;
//! let image = VerifiedImage::verify(&Engine::new()?, image, &Policy::default())?;
//! let config = InstanceConfig { deadline: Duration::from_millis(5), ..InstanceConfig::default() };
//! let mut instance = Instance::new(&image, config)?;
//!
//! let crash = instance.function::<(), ()>("crash")?;
//! let fault = crash.call(&mut instance, (), &mut NoHost).unwrap_err();
//! assert_eq!(fault.kind, FaultKind::NullAccess { write: true });
//! assert!(fault.to_string().starts_with("null pointer write at 0x10 in crash"));
//!
//! let spin = instance.function::<(), ()>("spin")?;
//! let fault = spin.call(&mut instance, (), &mut NoHost).unwrap_err();
//! assert_eq!(fault.kind, FaultKind::Deadline);
//!
//! let missing = instance.function::<(), ()>("crush").unwrap_err();
//! assert_eq!(missing.to_string(), "the image defines no function crush; the nearest is crash");
//! # Ok(())
//! # }
//! ```
//!
//! # Errors
//!
//! Who is to blame is in the type. A [`DecodeError`], [`LinkError`] or [`Rejection`] is the
//! object's, a [`GraftFault`] the running graft's, a [`ConfigError`] or [`NoSuchFunction`] the
//! embedder's, an [`EngineError`] or [`ExecError`] the machine's. A wrong use of the API panics
//! and says so.
//!
//! # Examples
//!
//! * `image_filter` compares a filter in the sandbox with the same source as a native program.
//! * `plug_in_host` hosts a plug-in that allocates, calls back, and fails in many ways.
//!
//! Both build their C at run time: `cargo run --release -p vino-sandbox --example image_filter`.
//!
//! # What is defended, and what is not
//!
//! [`threats`] tells: who attacks, what stops each attack, which test shows it, what is not
//! defended (speculative execution, other side channels, memory bandwidth), and what a program
//! that embeds this crate must do.
//!
//! # Inside
//!
//! * `image` decodes a relocatable object and lays it out; it holds no unsafe code.
//! * [`verify`](verify()) decides whether final bytes are safe to run; it is the only thing
//!   trusted to, and shares no code with the rewriter that produced them.
//! * `exec` maps, seals, enters and stops verified code; all unsafe code is there.
//!
//! The layout of a sandbox and the forms that the verifier accepts are those of the crate
//! `vino-abi`.
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
pub use vino_abi::IMPORTS_MAX;

#[doc = include_str!("../THREATS.md")]
pub mod threats {}
