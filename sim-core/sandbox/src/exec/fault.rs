//! Why an invocation ended early, told to the person who wrote the graft.

use std::fmt;

use iced_x86::{Decoder, DecoderOptions, Formatter, GasFormatter};
use vino_abi::{
    BASE_SLOT, GATES_OFFSET, IMAGE_OFFSET, LABEL_RETURN_IMM, LABEL_TARGET_IMM, STACK_END,
    STACK_LIMIT,
};

use super::address::SandboxAddr;
use super::gates::{self, GatePart};
use super::instance::Core;
use super::signals::TrapRecord;

/// What a graft did, or had done to it, that ended its invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FaultKind {
    /// It used memory that is not its own.
    #[error("wild {}", if *.write { "write" } else { "read" })]
    Memory {
        /// Whether it wrote.
        write: bool,
    },
    /// It used memory through a null pointer.
    #[error("null pointer {}", if *.write { "write" } else { "read" })]
    NullAccess {
        /// Whether it wrote.
        write: bool,
    },
    /// It called a null function pointer.
    #[error("null call")]
    NullCall,
    /// It called, jumped or returned to a place that is not marked as a target.
    #[error("bad control transfer")]
    BadControlTransfer,
    /// Its stack is used up.
    #[error("stack overflow")]
    StackOverflow,
    /// It executed an instruction that traps.
    #[error("illegal instruction")]
    IllegalInstruction,
    /// It divided by zero, or the quotient did not fit.
    #[error("arithmetic fault")]
    Arithmetic,
    /// It used an aligned vector access on an unaligned address.
    #[error("misaligned access")]
    Misaligned,
    /// It did not return before its deadline.
    #[error("deadline passed")]
    Deadline,
    /// A host function ended the invocation; the code is the embedder's.
    #[error("aborted by a host function (code {0})")]
    Aborted(u32),
    /// Invocations nest deeper than [`NESTING_MAX`](super::NESTING_MAX).
    #[error("invocations nested too deep")]
    TooDeep,
}

/// The early end of an invocation. The host is unharmed; the graft is to blame.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", self.describe())]
pub struct GraftFault {
    /// What happened.
    pub kind: FaultKind,
    /// The instruction that did it; for an abort, where the host function would have returned to.
    pub pc: SandboxAddr,
    /// The address that was used, where there is one: in the sandbox or in the guards around it.
    pub address: Option<u64>,
    /// The function around `pc` and the distance from its start, where the image names it.
    pub symbol: Option<String>,
    /// The instruction at `pc`, disassembled; empty where there is none to read.
    pub instruction: String,
    /// The general-purpose registers at that moment.
    pub registers: Box<Registers>,
}

impl GraftFault {
    fn describe(&self) -> String {
        let mut text = self.kind.to_string();
        if let Some(address) = self.address {
            // What counts of a graft's pointer, and does not change from run to run.
            text.push_str(&format!(" at {}", SandboxAddr::of_pointer(address)));
        }
        match &self.symbol {
            Some(symbol) => text.push_str(&format!(" in {symbol}")),
            None => text.push_str(&format!(" at offset {}", self.pc)),
        }
        if !self.instruction.is_empty() {
            text.push_str(&format!(": {}", self.instruction));
        }
        text
    }
}

/// The sixteen general-purpose registers of a graft.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    values: [u64; 16],
}

impl Registers {
    /// Names in the order of their encoding.
    const NAMES: [&'static str; 16] = [
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
        "r13", "r14", "r15",
    ];

    /// Returns every register with its name, in the order of their encoding.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Self::NAMES.into_iter().zip(self.values)
    }

    /// Returns the value of the register of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<u64> {
        self.iter()
            .find_map(|(known, value)| (known == name).then_some(value))
    }
}

impl fmt::Display for Registers {
    /// Four registers a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const IN_A_LINE: usize = 4;
        for (index, (name, value)) in self.iter().enumerate() {
            let end = if index % IN_A_LINE == IN_A_LINE - 1 {
                "\n"
            } else {
                "  "
            };
            write!(f, "{name:>3} {value:#018x}{end}")?;
        }
        Ok(())
    }
}

const RSP: usize = 4;
const R11: usize = 11;

/// Bits of the page-fault error code.
const ERROR_WRITE: u64 = 1 << 1;
const ERROR_FETCH: u64 = 1 << 4;
/// Exception number of `int3`.
const TRAP_BREAKPOINT: u64 = 3;
/// Exception number of a page fault.
const TRAP_PAGE_FAULT: u64 = 14;

/// Builds the fault of a graft that trapped.
pub(super) fn trapped(core: &Core, record: &TrapRecord, deadline: bool) -> GraftFault {
    let pc = SandboxAddr::of_pointer(trapping_pc(record));
    let page_fault = record.trap == TRAP_PAGE_FAULT && !deadline;
    // Where a fetch faults, the processor's address is that of the instruction.
    let address = page_fault.then_some(record.address);
    let kind = if deadline {
        FaultKind::Deadline
    } else {
        classify(core, record)
    };
    let mut registers = Registers {
        values: record.registers,
    };
    if gates::part_at(pc.offset()).is_some() && pc.offset() < IMAGE_OFFSET {
        // The gates' scratch register may hold an address of the host, which is nobody's business.
        registers.values[R11] = 0;
    }
    GraftFault {
        address,
        ..described(core, kind, pc, registers)
    }
}

/// Builds the fault of a graft that a host function did not return to.
pub(super) fn stopped(core: &Core, graft_rsp: u64, kind: FaultKind) -> GraftFault {
    let mut word = [0; size_of::<u64>()];
    let stack = SandboxAddr::of_pointer(graft_rsp);
    // A graft can call a gate with a stack that is not there; then the gate is all that is known.
    let pc = match core.memory.read(stack, &mut word) {
        Ok(()) => SandboxAddr::of_pointer(u64::from_le_bytes(word)),
        Err(_) => SandboxAddr::of_pointer(GATES_OFFSET.into()),
    };
    let mut registers = Registers::default();
    registers.values[RSP] = graft_rsp;
    described(core, kind, pc, registers)
}

/// Builds the fault of an invocation that did not begin.
pub(super) fn refused(core: &Core, kind: FaultKind, entry: u32) -> GraftFault {
    described(
        core,
        kind,
        SandboxAddr::of_pointer(entry.into()),
        Registers::default(),
    )
}

fn described(core: &Core, kind: FaultKind, pc: SandboxAddr, registers: Registers) -> GraftFault {
    GraftFault {
        kind,
        pc,
        address: None,
        symbol: name_of(core, pc.offset()),
        instruction: disassemble(core, pc),
        registers: Box::new(registers),
    }
}

fn name_of(core: &Core, offset: u32) -> Option<String> {
    if offset >= IMAGE_OFFSET {
        return core.symbols().describe(offset);
    }
    gates::part_at(offset).map(|part| match part {
        GatePart::Entry => "the entry gate".to_owned(),
        GatePart::Return => "the return from a host function".to_owned(),
        GatePart::Import(import) => format!("the gate of import {import}"),
    })
}

/// The longest instruction of the processor.
const INSTRUCTION_BYTES_MAX: usize = 15;

fn disassemble(core: &Core, pc: SandboxAddr) -> String {
    if !core.is_code(pc.offset()) {
        return String::new();
    }
    // Text ends in 16 bytes of traps, and gates in traps to the end of their page.
    let mut bytes = [0; INSTRUCTION_BYTES_MAX];
    if core.memory.read(pc, &mut bytes).is_err() {
        return String::new();
    }
    let mut decoder = Decoder::with_ip(64, &bytes, pc.offset().into(), DecoderOptions::NONE);
    let instruction = decoder.decode();
    let mut text = String::new();
    let mut formatter = GasFormatter::new();
    formatter.options_mut().set_uppercase_hex(false);
    formatter.format(&instruction, &mut text);
    text
}

/// Returns the address of the instruction that trapped: `int3` is reported behind its one byte.
fn trapping_pc(record: &TrapRecord) -> u64 {
    record.pc - u64::from(record.trap == TRAP_BREAKPOINT)
}

fn classify(core: &Core, record: &TrapRecord) -> FaultKind {
    match record.signal {
        libc::SIGFPE => FaultKind::Arithmetic,
        libc::SIGILL | libc::SIGTRAP if is_check_trap(core, trapping_pc(record)) => {
            FaultKind::BadControlTransfer
        }
        libc::SIGILL | libc::SIGTRAP => FaultKind::IllegalInstruction,
        _ if record.trap != TRAP_PAGE_FAULT => FaultKind::Misaligned,
        _ => classify_page_fault(core, record),
    }
}

fn classify_page_fault(core: &Core, record: &TrapRecord) -> FaultKind {
    let write = record.error & ERROR_WRITE != 0;
    let offset = record.address.wrapping_sub(core.base());
    if record.error & ERROR_FETCH != 0 {
        return FaultKind::BadControlTransfer;
    }
    let is_null = offset < u64::from(BASE_SLOT);
    if let Some(label) = checked_label(core, SandboxAddr::of_pointer(record.pc)) {
        // The transfer's own check touched the bad target.
        let call = label == LABEL_TARGET_IMM && is_null;
        return if call {
            FaultKind::NullCall
        } else {
            FaultKind::BadControlTransfer
        };
    }
    if is_null {
        return FaultKind::NullAccess { write };
    }
    let stack = u64::from(STACK_LIMIT)..u64::from(STACK_END);
    if stack.contains(&offset) {
        return FaultKind::StackOverflow;
    }
    FaultKind::Memory { write }
}

/// Bytes of `cmpq $imm32,%gs:(%r32)` around its immediate: prefixes, REX, opcode, operand.
const CHECK_BYTES_MAX: usize = 16;

/// Returns which label the instruction at `pc` checks for, if it is a check.
fn checked_label(core: &Core, pc: SandboxAddr) -> Option<u32> {
    let mut bytes = [0; CHECK_BYTES_MAX];
    core.memory
        .read(pc, &mut bytes[..INSTRUCTION_BYTES_MAX])
        .ok()?;
    let mut decoder = Decoder::new(64, &bytes[..INSTRUCTION_BYTES_MAX], DecoderOptions::NONE);
    let instruction = decoder.decode();
    if instruction.mnemonic() != iced_x86::Mnemonic::Cmp || instruction.op_count() != 2 {
        return None;
    }
    let is_immediate = instruction.op1_kind() == iced_x86::OpKind::Immediate32to64;
    let label = u32::try_from(instruction.immediate32to64())
        .ok()
        .filter(|_| is_immediate)?;
    [LABEL_RETURN_IMM, LABEL_TARGET_IMM]
        .contains(&label)
        .then_some(label)
}

/// Returns whether the trap at `pc` is where failed label checks go.
///
/// Each check is `cmpq $LABEL,...` and then `jne`; a trap that such a `jne` leads to was reached by
/// one. The search is linear in the text and runs only for a graft that is about to be removed.
fn is_check_trap(core: &Core, pc: u64) -> bool {
    let target = pc.wrapping_sub(core.base());
    let gates = u64::from(GATES_OFFSET)..u64::from(IMAGE_OFFSET);
    if gates.contains(&target) {
        return true;
    }
    let text = core.text();
    let Some(target) = target.checked_sub(core.text_offset().into()) else {
        return false;
    };
    let mut checks = label_positions(text);
    checks.any(|index| jump_target(text, index + size_of::<u32>()) == Some(target))
}

/// Bytes that are searched at once.
const BLOCK_BYTES: usize = 64;

/// Finds the immediates of label checks.
///
/// Both labels start with the same three bytes. Blocks without the middle two are passed over in a
/// loop that the compiler turns into vector code.
fn label_positions(text: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let labels = [LABEL_RETURN_IMM, LABEL_TARGET_IMM].map(u32::to_le_bytes);
    let [_, first, second, _] = labels[0];
    let blocks = (0..text.len()).step_by(BLOCK_BYTES).filter(move |start| {
        let end = (start + BLOCK_BYTES + 1).min(text.len());
        let block = &text[*start..end];
        let pairs = block.iter().zip(&block[1..]);
        pairs.fold(false, |seen, (a, b)| {
            seen | ((*a == first) & (*b == second))
        })
    });
    blocks.flat_map(move |start| {
        let starts = start.saturating_sub(1)..start + BLOCK_BYTES;
        starts.filter(move |index| {
            let window = text.get(*index..index + size_of::<u32>());
            window.is_some_and(|window| labels.iter().any(|label| window == label))
        })
    })
}

/// Returns where the `jne` at `index` of `text` goes, if there is one.
fn jump_target(text: &[u8], index: usize) -> Option<u64> {
    let (distance, end) = match *text.get(index..)? {
        [0x75, distance, ..] => (i64::from(distance.cast_signed()), index + 2),
        [0x0f, 0x85, a, b, c, d, ..] => (i64::from(i32::from_le_bytes([a, b, c, d])), index + 6),
        _ => return None,
    };
    i64::try_from(end)
        .ok()?
        .checked_add(distance)?
        .try_into()
        .ok()
}
