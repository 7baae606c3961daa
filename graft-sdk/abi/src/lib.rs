//! The contract between `misfit`, the verifier, the executor and the SDK headers, as constants.
//!
//! Nothing here is code: `misfit` and the verifier must not share any, because the verifier is
//! trusted and `misfit` is not. What they share is the layout of a sandbox, the two labels, and
//! the limits below.
//!
//! # Layout of a sandbox
//!
//! A sandbox is 4 GiB of address space at a base `B` that is a multiple of 4 GiB, with 4 GiB of
//! inaccessible guard before and after it (neighbours share one). While a graft runs, `%gs` base
//! is `B`. Offsets from `B`:
//!
//! ```text
//! 0000_0000  null guard, never mapped
//! 0001_0000  info page      RX   word 0 holds B (BASE_SLOT), traps follow
//! 0001_1000  gates          RX   entry stub, return stub, one gate per imported host function
//! 0001_6000  text           RX
//!            constants      R    read-only data and GOT, from the page after text
//! 1000_0000  stack guard
//! 2010_0000  end of the stack, which grows down
//! 2010_0000  arguments      RW   one page: OUT and array arguments
//! 2010_1000  data           RW   data, bss
//!            heap           RW   from the page after data; grows up to a limit
//! b000_0000  views          R    kernel memory the graft may read (written by the kernel)
//! ```
//!
//! Areas of one protection adjoin, and so do areas that are mapped alike, because a system allows a
//! process a limited number of mappings (Linux: 65,530): a sandbox takes three, and an inaccessible
//! range before and within, or one more pair with views. The stack ends half-way through what one
//! page of page tables maps, so that its top, the arguments and the start of the data share one.
//!
//! # Forms
//!
//! `B` never has to be in a register. Every rule below is on final bytes.
//!
//! * **Memory**: `%gs:disp(%e_base,%e_index,scale)` with 32-bit registers (prefixes `65 67`: the
//!   address is truncated to 32 bits before `B` is added), or `disp(%rsp)`, or `disp(%rip)` that
//!   lands in the image, or `%gs:disp32` with no register and `disp32 >= 0`.
//! * **Re-base**: `add %gs:BASE_SLOT, %reg`: makes a sandbox pointer of a zero-extended offset.
//! * **Return** (`%r11` is the scratch register):
//!   `mov (%rsp),%r11d; cmpq $LABEL_RETURN,%gs:(%r11d); jne fail; add %gs:BASE_SLOT,%r11;
//!   mov %r11,(%rsp); ret`.
//! * **Indirect call or jump** through any register but `%rsp`: `mov SRC,%r32` (a 32-bit register
//!   or memory source, so the register is zero-extended);
//!   `cmpq $LABEL_TARGET,%gs:(%r32); jne fail; add %gs:BASE_SLOT,%r64; call|jmp *%r64`.
//! * **Stack pointer**: `push`, `pop`, `call`, `ret`; `add|sub $imm,%rsp` and
//!   `lea disp(%rsp),%rsp` by at most [`STACK_DRIFT_MAX`], in sum, before the next stack access
//!   (`push`, `pop`, `call`, or an instruction that always accesses `disp(%rsp)`), which must come
//!   before any other control transfer; everything else is a group of two: a 32-bit
//!   `mov|lea|add|sub|and` that writes `%esp`, then `add %gs:BASE_SLOT,%rsp`.
//! * **String**: `mov %edi,%edi; add %gs:BASE_SLOT,%rdi;` (and the same for `%esi`/`%rsi` first,
//!   where the instruction reads memory) then `movs`/`stos` with or without `rep`. The direction
//!   flag is always clear.
//! * A group is entered only at its first instruction.
//! * The 8 bytes of a label occur in text only as a whole instruction outside any group.
#![no_std]

/// Bytes of one sandbox's address space.
pub const SANDBOX_BYTES: u64 = 1 << 32;
/// Bytes of inaccessible address space before and after a sandbox.
pub const GUARD_BYTES: u64 = 1 << 32;
/// Bytes in a page of memory.
pub const PAGE_BYTES: u64 = 4096;

/// Offset of the read-only word that holds the sandbox's base address.
pub const BASE_SLOT: u32 = 0x1_0000;
/// Offset of the gates: the entry stub, the return stub, then one gate for each import.
pub const GATES_OFFSET: u32 = BASE_SLOT + 0x1000;
/// Offset of the gate of import 0; import `i` is at `IMPORT_GATES_OFFSET + i * GATE_BYTES`.
pub const IMPORT_GATES_OFFSET: u32 = GATES_OFFSET + 0x100;
/// Bytes from one import's gate to the next.
pub const GATE_BYTES: u32 = 32;
/// The most host functions that one graft may import.
pub const IMPORTS_MAX: u32 = 512;
/// Offset of a graft's text; its read-only data starts on the page after it.
pub const IMAGE_OFFSET: u32 = 0x1_6000;
/// End of the range in which text and read-only data must fit.
pub const IMAGE_END: u32 = 0x1000_0000;
/// The lowest offset a stack may reach, whatever its configured size.
pub const STACK_LIMIT: u32 = 0x1000_0000;
/// The address just past the highest byte of the stack, which grows down.
pub const STACK_END: u32 = 0x2010_0000;
/// Offset of the page through which OUT and array arguments pass.
pub const ARGUMENTS_OFFSET: u32 = STACK_END;
/// Bytes of the argument page.
pub const ARGUMENTS_BYTES: u32 = 4096;
/// Offset of a graft's data; its heap starts on the page after it.
pub const DATA_OFFSET: u32 = ARGUMENTS_OFFSET + ARGUMENTS_BYTES;
/// End of the range in which data must fit.
pub const DATA_END: u32 = 0x3000_0000;
/// End of the range in which the heap must fit; what follows is never mapped up to the views.
pub const HEAP_END: u32 = 0xafff_0000;
/// Offset of the first read-only view of kernel memory.
pub const VIEWS_OFFSET: u32 = 0xb000_0000;
/// End of the range in which views must fit.
pub const VIEWS_END: u32 = 0xf000_0000;

const _: () = assert!(IMPORT_GATES_OFFSET + IMPORTS_MAX * GATE_BYTES <= IMAGE_OFFSET);
const _: () = assert!(IMAGE_END <= STACK_LIMIT && STACK_LIMIT < STACK_END);
const _: () = assert!(DATA_OFFSET < DATA_END && DATA_END < HEAP_END && HEAP_END < VIEWS_OFFSET);

/// Marks a place to which a return may go: `nopl 0(%rbp,%rbp,2)` with a 32-bit displacement.
///
/// As a little-endian 64-bit number it is a positive 32-bit immediate, so one `cmpq` compares it;
/// the immediate of that `cmpq` is not followed by four zero bytes, so a check never holds a label.
pub const LABEL_RETURN: [u8; 8] = [0x0f, 0x1f, 0x84, 0x6d, 0, 0, 0, 0];
/// Marks a place to which an indirect call or jump may go: `nopl 0(%rsi,%rbp,2)`.
pub const LABEL_TARGET: [u8; 8] = [0x0f, 0x1f, 0x84, 0x6e, 0, 0, 0, 0];
/// [`LABEL_RETURN`] as the immediate of the `cmpq` that checks it.
pub const LABEL_RETURN_IMM: u32 = 0x6d84_1f0f;
/// [`LABEL_TARGET`] as the immediate of the `cmpq` that checks it.
pub const LABEL_TARGET_IMM: u32 = 0x6e84_1f0f;

/// How far, in bytes, `%rsp` may move by constants before the stack must be accessed.
pub const STACK_DRIFT_MAX: u32 = 64 * 1024;

/// `status_t` of every graft function: it succeeded.
pub const SUCCESS: i32 = 0;
/// `status_t`: the graft found no answer; the kernel serves its own.
pub const ENOTFOUND: i32 = 2;
/// `status_t`: an argument was refused.
pub const EINVAL: i32 = 22;
/// `status_t`: the object belongs to somebody else, or the caller lacks a privilege.
pub const EPERM: i32 = 1;
/// `status_t`: no space is left.
pub const ENOSPC: i32 = 28;

/// `page_state_t`: the frame holds no page.
pub const PAGE_FREE: u32 = 0;
/// `page_state_t`: referenced since the front hand passed.
pub const PAGE_ACTIVE: u32 = 1;
/// `page_state_t`: not referenced since the front hand passed.
pub const PAGE_INACTIVE: u32 = 2;
/// `page_state_t`: may not be evicted.
pub const PAGE_WIRED: u32 = 3;

/// The read-only view of one address space's resident pages, as a graft sees it.
///
/// The view starts with a header; an array of entries follows, a slot for each frame that the
/// address space may hold. Links are offsets from the sandbox base; 0 ends a list. All fields are
/// little-endian and naturally aligned.
pub mod page_view {
    /// Bytes of the header at the start of the view.
    pub const HEADER_BYTES: u32 = 64;
    /// `u32`: offset of the first entry of the list of evictable pages, 0 when it is empty.
    ///
    /// The list runs from the inactive pages, oldest first, to the active pages, oldest first.
    pub const HEADER_FIRST: u32 = 0;
    /// `u32`: offset of the last entry, 0 when the list is empty.
    pub const HEADER_LAST: u32 = 4;
    /// `u32`: how many entries the list has.
    pub const HEADER_COUNT: u32 = 8;
    /// `u32`: how many of them are inactive.
    pub const HEADER_INACTIVE_COUNT: u32 = 12;
    /// `u32`: the identifier of the address space.
    pub const HEADER_VAS: u32 = 16;
    /// `u32`: how many entry slots follow the header.
    pub const HEADER_SLOTS: u32 = 20;

    /// Bytes of one entry.
    pub const ENTRY_BYTES: u32 = 32;
    /// `u32`: offset of the next entry of the list, 0 at its end.
    pub const ENTRY_NEXT: u32 = 0;
    /// `u32`: offset of the previous entry of the list, 0 at its start.
    pub const ENTRY_PREV: u32 = 4;
    /// `u64`: the virtual page number within the address space.
    pub const ENTRY_VPN: u32 = 8;
    /// `u32`: the frame that holds the page.
    pub const ENTRY_FRAME: u32 = 16;
    /// `u32`: how often this slot has been reused; stale handles are told apart by it.
    pub const ENTRY_GENERATION: u32 = 20;
    /// `u32`: the page state in bits 0..8, then the flag bits below.
    pub const ENTRY_STATE: u32 = 24;
    /// `u32`: reserved for per-policy use by the kernel, 0 for now.
    pub const ENTRY_RESERVED: u32 = 28;

    /// Mask of the page state in [`ENTRY_STATE`].
    pub const STATE_MASK: u32 = 0xff;
    /// Flag in [`ENTRY_STATE`]: referenced since the front hand passed.
    pub const STATE_REFERENCED: u32 = 1 << 8;
    /// Flag in [`ENTRY_STATE`]: modified since it was last written to swap.
    pub const STATE_MODIFIED: u32 = 1 << 9;
}
