//! The trusted code of a sandbox: how a graft starts, returns, and calls the host.
//!
//! ```text
//!  entry stub    xor %eax,%eax; call *%r11            start of the graft
//!  exit gate     LABEL_RETURN; jmp *%fs:LEAVE         where its `ret` goes
//!  return stub   checked return                       back from a host function
//!  import gate   LABEL_TARGET; mov $i,%eax; jmp *%fs:IMPORT
//! ```
//!
//! A graft can jump to what carries a label, and to nothing else here: to an import gate, which is
//! a call of that import, and to the exit gate, which ends the invocation. Only what the image
//! imports has a gate; the rest is filled with traps. The gates hold no address of the host: they
//! jump through the thread block, whose distance from `%fs` says nothing about where anything is.

use vino_abi::{
    BASE_SLOT, GATE_BYTES, GATES_OFFSET, IMPORT_GATES_OFFSET, IMPORTS_MAX, LABEL_RETURN,
    LABEL_RETURN_IMM, LABEL_TARGET, PAGE_BYTES,
};

use super::thread::{IMPORT_OFFSET, LEAVE_OFFSET};

/// Offset of the entry stub in a sandbox.
pub(super) const ENTRY_STUB: u32 = GATES_OFFSET;
const ENTRY_BYTES: u32 = 5;
/// `xor %eax,%eax; call *%r11`.
const ENTRY_CODE: [u8; ENTRY_BYTES as usize] = [0x31, 0xc0, 0x41, 0xff, 0xd3];
/// Offset of the exit gate: where the entry stub's call returns to.
const EXIT_GATE: u32 = ENTRY_STUB + ENTRY_BYTES;
/// Offset of the return stub.
pub(super) const RETURN_STUB: u32 = GATES_OFFSET + 0x80;
/// Offset of the trap that the return stub jumps to: one of those that fill the gates.
pub(super) const RETURN_TRAP: u32 = GATES_OFFSET + 0xc0;
/// Fills what is not a gate: `int3`.
pub(super) const TRAP: u8 = 0xcc;

/// The bytes of a process's gates.
#[derive(Clone, Debug)]
pub(super) struct Gates {
    leave: [u8; 4],
    import: [u8; 4],
}

/// A part of the gates, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GatePart {
    Entry,
    Return,
    Import(u32),
}

impl Gates {
    /// Prepares gates for a thread block at `distance` from the thread pointer.
    ///
    /// # Panics
    ///
    /// The distance is not a 32-bit number, or it spells a label: no linker lays out that much
    /// thread-local storage.
    pub(super) fn new(distance: i64) -> Self {
        let word = |offset: usize| {
            let word = i64::try_from(offset)
                .ok()
                .and_then(|offset| distance.checked_add(offset));
            let word = word.and_then(|word| i32::try_from(word).ok());
            word.expect("thread-local storage lies within 2 GiB of the thread pointer")
                .to_le_bytes()
        };
        let gates = Self {
            leave: word(LEAVE_OFFSET),
            import: word(IMPORT_OFFSET),
        };
        let all: Vec<u32> = (0..IMPORTS_MAX).collect();
        let bytes = gates.bytes(&all);
        let labels = |label: [u8; 8]| bytes.windows(label.len()).filter(|w| *w == label).count();
        assert_eq!(
            labels(LABEL_RETURN),
            1,
            "only the exit gate may be returned to"
        );
        assert_eq!(
            labels(LABEL_TARGET),
            all.len(),
            "only import gates may be called"
        );
        gates
    }

    /// Returns the pages of gates for an image that imports `imports`.
    pub(super) fn bytes(&self, imports: &[u32]) -> Vec<u8> {
        let end = imports
            .iter()
            .max()
            .map_or(IMPORT_GATES_OFFSET, |last| gate_offset(last + 1));
        let bytes = u64::from(end - GATES_OFFSET).next_multiple_of(PAGE_BYTES);
        let mut pages = vec![TRAP; usize::try_from(bytes).unwrap_or(usize::MAX)];
        let mut put = |offset: u32, code: &[u8]| {
            let start = (offset - GATES_OFFSET) as usize;
            pages[start..start + code.len()].copy_from_slice(code);
        };
        put(ENTRY_STUB, &ENTRY_CODE);
        put(EXIT_GATE, &LABEL_RETURN);
        put(EXIT_GATE + 8, &jump_through(self.leave));
        put(RETURN_STUB, &return_stub());
        for &import in imports {
            let gate = gate_offset(import);
            put(gate, &LABEL_TARGET);
            let [a, b, c, d] = import.to_le_bytes();
            put(gate + 8, &[0xb8, a, b, c, d]);
            put(gate + 13, &jump_through(self.import));
        }
        pages
    }
}

/// Returns the offset of an import's gate.
pub(super) const fn gate_offset(import: u32) -> u32 {
    IMPORT_GATES_OFFSET + import * GATE_BYTES
}

/// Names the part of the gates that covers `offset`.
pub(super) fn part_at(offset: u32) -> Option<GatePart> {
    if let Some(distance) = offset.checked_sub(IMPORT_GATES_OFFSET) {
        let import = distance / GATE_BYTES;
        return (import < IMPORTS_MAX).then_some(GatePart::Import(import));
    }
    match offset.checked_sub(GATES_OFFSET)? {
        distance if distance < RETURN_STUB - GATES_OFFSET => Some(GatePart::Entry),
        _ => Some(GatePart::Return),
    }
}

/// `jmp *%fs:distance`.
fn jump_through(distance: [u8; 4]) -> [u8; 8] {
    let [a, b, c, d] = distance;
    [0x64, 0xff, 0x24, 0x25, a, b, c, d]
}

/// The checked return that every graft function ends in, so that a return address which the graft
/// forged is the graft's own trap.
fn return_stub() -> Vec<u8> {
    let mut code = vec![0x44, 0x8b, 0x1c, 0x24]; // mov (%rsp),%r11d
    code.extend([0x65, 0x67, 0x49, 0x81, 0x3b]); // cmpq $LABEL_RETURN,%gs:(%r11d)
    code.extend(LABEL_RETURN_IMM.to_le_bytes());
    let after_jump = RETURN_STUB as usize + code.len() + 2;
    let distance = RETURN_TRAP as usize - after_jump;
    code.extend([0x75, u8::try_from(distance).unwrap_or(0)]); // jne RETURN_TRAP
    code.extend([0x65, 0x4c, 0x03, 0x1c, 0x25]); // add %gs:BASE_SLOT,%r11
    code.extend(BASE_SLOT.to_le_bytes());
    code.extend([0x4c, 0x89, 0x1c, 0x24]); // mov %r11,(%rsp)
    code.push(0xc3); // ret
    code
}

#[cfg(test)]
mod tests {
    use iced_x86::{Decoder, DecoderOptions, Formatter, GasFormatter, Instruction};

    use super::{
        ENTRY_CODE, ENTRY_STUB, GATES_OFFSET, Gates, IMPORT_OFFSET, RETURN_STUB, gate_offset,
        return_stub,
    };

    fn disassemble(code: &[u8], ip: u32) -> Vec<String> {
        let mut decoder = Decoder::with_ip(64, code, u64::from(ip), DecoderOptions::NONE);
        let mut formatter = GasFormatter::new();
        formatter.options_mut().set_uppercase_hex(false);
        let mut lines = Vec::new();
        let mut instruction = Instruction::default();
        while decoder.can_decode() {
            decoder.decode_out(&mut instruction);
            let mut line = String::new();
            formatter.format(&instruction, &mut line);
            lines.push(line);
        }
        lines
    }

    #[test]
    fn the_return_stub_is_the_checked_return_of_the_abi() {
        assert_eq!(
            disassemble(&return_stub(), RETURN_STUB),
            [
                "mov (%rsp),%r11d",
                "cmpq $0x6d841f0f,%gs:(%r11d)",
                "jne 0x00000000000110c0",
                "add %gs:0x10000,%r11",
                "mov %r11,(%rsp)",
                "ret",
            ]
        );
    }

    #[test]
    fn the_entry_stub_calls_the_graft() {
        assert_eq!(
            disassemble(&ENTRY_CODE, ENTRY_STUB),
            ["xor %eax,%eax", "call *%r11"]
        );
    }

    #[test]
    fn only_imports_have_gates() {
        let gates = Gates::new(-0x80);
        let pages = gates.bytes(&[2]);
        let start = (gate_offset(2) - GATES_OFFSET) as usize;
        assert_eq!(
            disassemble(&pages[start..start + 21], 0),
            [
                "nopl (%rsi,%rbp,2)",
                "mov $2,%eax",
                &format!("jmpq *%fs:{:#x}", IMPORT_OFFSET.wrapping_sub(0x80)),
            ]
        );
        assert!(pages[start - 64..start].iter().all(|byte| *byte == 0xcc));
        assert!(pages[start + 21..].iter().all(|byte| *byte == 0xcc));
    }
}
