//! MiSFIT: instruments a compiler's x86-64 assembly so that the graft verifier accepts it.
//!
//! ```text
//! victim.C --g++ -S--> victim.s --misfit -crws--> victim.misfit --as--> victim.o --> verifier
//! ```
//!
//! [`instrument`] rewrites AT&T assembly, as gcc, clang and rustc print it, into the forms that the
//! documentation of [`vino_abi`] lists. What it cannot rewrite it refuses, with the line and what
//! to do about it ([`Diagnostic`]). The sandbox does not trust it: the verifier checks the object
//! code and shares nothing with this crate but the constants of `vino_abi`. If misfit errs, a graft
//! is rejected or computes nonsense inside its sandbox.
//!
//! # Demands on the compiler
//!
//! `%r11` is scratch whenever a function returns, so gcc needs `-fno-ipa-ra` (misfit refuses code
//! that was compiled without it and relies on the opposite). Code must be position independent
//! (`-fPIC`), without stack protector, exceptions, thread-local variables, x87, MMX and AVX-512.
//!
//! `cpuid` and `xgetbv` are answered with zeros: a graft's processor has no optional features, on
//! every machine. Code that asks falls back to what it was compiled for, so runs are repeatable.
//!
//! # Inside
//!
//! `input` turns away what is no assembly, `source` splits the text into statements, `isa` says
//! what instructions do, `labels` finds what indirect jumps may reach, `frame` tells tail calls
//! from computed gotos, `liveness` finds registers and flags that are free, and `rewrite` writes
//! the result.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod diagnostic;
mod directive;
mod frame;
mod input;
mod isa;
mod labels;
mod liveness;
mod operand;
mod register;
mod rewrite;
mod source;

pub use diagnostic::{DIAGNOSTICS_MAX, Diagnostic};

use diagnostic::{Diagnostics, Refusal};

/// The largest input, in bytes.
pub const INPUT_BYTES_MAX: usize = 256 << 20;

/// Which protections to insert, as the flags of the manual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `-c`: indirect calls, indirect jumps and returns.
    pub indirect_calls: bool,
    /// `-r`: loads.
    pub reads: bool,
    /// `-w`: stores.
    pub writes: bool,
    /// `-s`: the stack pointer.
    pub stack: bool,
}

impl Options {
    /// All four protections, which the kernel demands by default.
    pub const ALL: Options = Options {
        indirect_calls: true,
        reads: true,
        writes: true,
        stack: true,
    };
}

/// Instruments assembly text.
///
/// # Errors
///
/// Returns every line that cannot be made safe, in line order, at most [`DIAGNOSTICS_MAX`].
pub fn instrument(assembly: &str, options: &Options) -> Result<String, Vec<Diagnostic>> {
    let mut problems = Diagnostics::default();
    if assembly.len() > INPUT_BYTES_MAX {
        let refusal = Refusal::new(
            format!("input is larger than {INPUT_BYTES_MAX} bytes"),
            "compile the graft in several files",
        );
        problems.report(refusal, 1, "");
        return problems.finish(String::new());
    }
    if let Some((line, text, refusal)) = input::refusal(assembly) {
        problems.report(refusal, line, text);
        return problems.finish(String::new());
    }
    let program = source::parse(assembly, &mut problems);
    let output = rewrite::rewrite(&program, assembly.len(), options, &mut problems);
    problems.finish(output)
}
