//! The rules of the verifier: what each demands and what it is there against.

use std::fmt;

/// A rule that every instruction of a graft must keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Encoding.
    R1,
    /// Allow-list.
    R2,
    /// Prefixes.
    R3,
    /// Memory operands.
    R4,
    /// Fixed addresses.
    R5,
    /// Writes to the stack pointer.
    R6,
    /// Moves of the stack pointer without an access.
    R7,
    /// Direct targets.
    R8,
    /// Indirect calls and jumps.
    R9,
    /// Returns.
    R10,
    /// String instructions.
    R11,
    /// Labels.
    R12,
    /// The end of text.
    R13,
    /// Entry points.
    R14,
    /// Relocations.
    R15,
}

impl Rule {
    /// Every rule, in order.
    pub const ALL: [Self; 15] = [
        Self::R1,
        Self::R2,
        Self::R3,
        Self::R4,
        Self::R5,
        Self::R6,
        Self::R7,
        Self::R8,
        Self::R9,
        Self::R10,
        Self::R11,
        Self::R12,
        Self::R13,
        Self::R14,
        Self::R15,
    ];

    /// What the rule demands, as a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::R1 => {
                "every byte belongs to one instruction, in an encoding that all processors read \
                 alike"
            }
            Self::R2 => "every instruction is on the allow-list",
            Self::R3 => "a prefix stands only where the instruction needs it",
            Self::R4 => {
                "memory is reached as %gs:disp(%r32,%r32,scale), disp(%rsp) or disp(%rip), and \
                 through no register otherwise"
            }
            Self::R5 => {
                "an address without a register lies in the image, or behind %gs and not below it"
            }
            Self::R6 => {
                "%rsp is changed only by push, pop, call, ret, constants, or a 32-bit \
                 instruction followed at once by add %gs:BASE_SLOT,%rsp"
            }
            Self::R7 => {
                "%rsp moves by constants at most 64 KiB before the stack is accessed, which \
                 happens before control goes elsewhere"
            }
            Self::R8 => {
                "a direct branch goes to the start of an instruction outside the interior of a \
                 group, or to an import"
            }
            Self::R9 => {
                "an indirect call or jump goes through a register that the group before it has \
                 truncated, compared and re-based"
            }
            Self::R10 => "a return follows the group that checks and re-bases its address",
            Self::R11 => "a string instruction follows the group that re-bases its pointers",
            Self::R12 => "the bytes of a label occur only as a whole instruction outside a group",
            Self::R13 => "text ends with an instruction that stops, so nothing runs off its end",
            Self::R14 => "an entry point starts with the target label, outside a group",
            Self::R15 => {
                "a relocation of code covers exactly the 32-bit field of a branch or of a \
                 disp(%rip) operand"
            }
        }
    }

    /// Why the rule exists: what code that breaks it could do.
    pub fn reason(self) -> &'static str {
        match self {
            Self::R1 => {
                "bytes that two processors, or two decoders, read differently hide instructions \
                 that nobody judged"
            }
            Self::R2 => {
                "instructions that are not known to be harmless reach the system, the host's \
                 state, or memory that no operand shows"
            }
            Self::R3 => {
                "a prefix changes the segment, the address or the length of an instruction that \
                 looks harmless without it"
            }
            Self::R4 => "an address in a 64-bit register may be any address of the host",
            Self::R5 => "a constant distance may lead out of the sandbox to the host",
            Self::R6 => {
                "with %rsp at an address of the host, every push, call and disp(%rsp) writes \
                 there"
            }
            Self::R7 => "small steps that are never checked by an access walk %rsp past the guard",
            Self::R8 => {
                "a branch into the middle of an instruction runs other instructions, and one \
                 into a group skips its check"
            }
            Self::R9 => "a corrupted function pointer leads to any code of the host",
            Self::R10 => "an overwritten return address leads to any code of the host",
            Self::R11 => "%rsi and %rdi may hold any address of the host",
            Self::R12 => {
                "bytes that look like a label let an indirect jump land inside an instruction or \
                 behind a check"
            }
            Self::R13 => "execution that runs off the end reaches bytes that nobody judged",
            Self::R14 => "the host would enter in the middle of an instruction, or behind a check",
            Self::R15 => {
                "linking would turn an instruction that was written into another, or break a label"
            }
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?} ({})", self.sentence())
    }
}
