//! Decides whether the final bytes of a text segment are safe to run.
//!
//! The verifier is the only thing that is trusted to keep a graft in its sandbox; who made the
//! bytes, and how, does not matter. It works on the bytes that will run, in place, after they have
//! been relocated and while nobody can write to them. What it accepts, started at any entry point
//! with any arguments,
//!
//! * reads and writes memory only in its sandbox and the guards around it,
//! * executes only instructions that were verified, from their first byte, and the gates,
//! * leaves no state of the host changed that the gates do not restore,
//! * can be stopped at any instruction.
//!
//! # Rules
//!
//! * **R1**: every byte belongs to one instruction, in an encoding that all processors read alike.
//! * **R2**: every instruction is on the allow-list.
//! * **R3**: a prefix stands only where the instruction needs it.
//! * **R4**: memory is reached as `%gs:disp(%r32,%r32,scale)`, `disp(%rsp)` or `disp(%rip)`, and
//!   through no register otherwise.
//! * **R5**: an address without a register lies in the image, or behind `%gs` and not below it.
//! * **R6**: `%rsp` is changed only by push, pop, call, ret, constants, or a 32-bit instruction
//!   followed at once by `add %gs:BASE_SLOT,%rsp`.
//! * **R7**: `%rsp` moves by constants at most 64 KiB before the stack is accessed, which happens
//!   before control goes elsewhere.
//! * **R8**: a direct branch goes to the start of an instruction outside the interior of a group,
//!   or to an import.
//! * **R9**: an indirect call or jump goes through a register that the group before it has
//!   truncated, compared and re-based.
//! * **R10**: a return follows the group that checks and re-bases its address.
//! * **R11**: a string instruction follows the group that re-bases its pointers.
//! * **R12**: the bytes of a label occur only as a whole instruction outside a group.
//! * **R13**: text ends with an instruction that stops, so nothing runs off its end.
//! * **R14**: an entry point starts with the target label, outside a group.
//! * **R15**: a relocation of code covers exactly the 32-bit field of a branch or of a
//!   `disp(%rip)` operand.
//!
//! The forms and groups are described in the crate `vino-abi`. Why they suffice:
//!
//! * **Memory.** `%gs` holds the base of the sandbox. With 32-bit registers the address size prefix
//!   truncates what is added to it to 32 bits. `%rsp` is always within 1 GiB and 64 KiB of the
//!   sandbox (R6, R7), so `disp(%rsp)` reaches the sandbox or its guards. Groups cannot be entered
//!   midway (R8, R9, R10, R12), so their registers hold what their first instruction made of them.
//! * **Control.** All of text is decoded from its first byte, so every instruction that may run has
//!   been judged: direct branches go to such instructions (R8), indirect ones to labels (R9, R10),
//!   and labels stand only in front of such instructions (R12). The label may also occur in data;
//!   going there faults, as data is not executable. Text and labels cannot change between the check
//!   and its use, and neither can the return address: only one thread is in a sandbox.
//! * **State.** The allow-list (R2) has no instruction that changes the direction flag, the
//!   floating-point modes, x87 or MMX state, or segment bases.
//!
//! Work is linear in the size of text, memory is three bits for each byte of it.

mod advice;
mod allow;
mod bitmap;
mod canonical;
mod effort;
mod groups;
mod inspect;
mod reach;
mod report;
mod rule;
mod scan;
#[cfg(test)]
mod tests;

pub use inspect::{Inspection, ListedInstruction, Role, RoleCount, Summary, Target};
pub use report::{Diagnosis, Rejection, VIOLATIONS_MAX, Violation};
pub use rule::Rule;

use std::ops::Range;

use crate::image::{LinkedImage, SegmentKind, SymbolTable};

/// Which of the protections must be present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether reads must stay in the sandbox. Without it an instruction that only reads its
    /// memory operand may read anything that the host can; every other rule holds.
    pub read_protection: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            read_protection: true,
        }
    }
}

/// Final bytes of a text segment and what they may refer to.
#[derive(Clone, Debug)]
pub struct Text<'a> {
    /// The bytes, in place.
    pub bytes: &'a [u8],
    /// Where they are in the sandbox.
    pub offset: u32,
    /// The part of the sandbox that operands relative to `%rip` may reach.
    pub image: Range<u32>,
    /// The imports whose gates may be reached, sorted.
    pub imports: &'a [u32],
    /// Where the host may enter.
    pub entries: &'a [u32],
    /// Where linking changed the bytes, sorted.
    pub relocations: &'a [u32],
    /// Names for messages.
    pub symbols: &'a SymbolTable,
}

impl<'a> Text<'a> {
    /// Describes the text of an image, given its bytes in place; `None` if the image has no text.
    pub fn of(image: &'a LinkedImage, bytes: &'a [u8]) -> Option<Self> {
        let segments = image.segments();
        let text = segments
            .iter()
            .find(|segment| segment.kind == SegmentKind::Text)?;
        let last = segments.last()?;
        Some(Self {
            bytes,
            offset: text.offset,
            image: text.offset..last.offset + last.bytes_len,
            imports: image.imports(),
            entries: image.entry_offsets(),
            relocations: image.text_relocations(),
            symbols: image.symbols(),
        })
    }

    fn assert_fits(&self) {
        let fits = u64::from(self.offset) + self.bytes.len() as u64 <= vino_abi::SANDBOX_BYTES;
        assert!(
            fits,
            "{} bytes of text at {:#x} leave the sandbox",
            self.bytes.len(),
            self.offset
        );
    }
}

/// Proof that the bytes of a text segment keep every rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedText {
    offset: u32,
    bytes_len: usize,
    instructions: u64,
    names_vectors: bool,
}

impl VerifiedText {
    /// Where the text is in the sandbox.
    pub fn offset(&self) -> u32 {
        self.offset
    }

    /// How many bytes were verified.
    pub fn bytes_len(&self) -> usize {
        self.bytes_len
    }

    /// How many instructions they hold, padding included.
    pub fn instructions(&self) -> u64 {
        self.instructions
    }

    /// Whether any of them may read or change a vector register.
    pub fn names_vectors(&self) -> bool {
        self.names_vectors
    }
}

/// Verifies the final bytes of a text segment.
///
/// # Errors
///
/// Says which instructions break which rules.
///
/// # Panics
///
/// If the text does not fit in a sandbox at its offset.
pub fn verify(text: &Text<'_>, policy: &Policy) -> Result<VerifiedText, Rejection> {
    text.assert_fits();
    let scanned = scan::Scanner::new(text, policy, VIOLATIONS_MAX).run();
    match scanned.rejection {
        Some(rejection) => Err(rejection),
        None => Ok(VerifiedText {
            offset: text.offset,
            bytes_len: text.bytes.len(),
            instructions: scanned.instructions,
            names_vectors: scanned.names_vectors,
        }),
    }
}
