//! The way into a graft, out of it, and from it to the host: the only assembly of the project
//! besides the gates.
//!
//! ```text
//!  run ---------> enter ----> [entry stub] --call--> graft
//!  run <--------- leave <---- [exit gate]  <--ret--- graft
//!  dispatch <---- import <--- [import gate] <-call-- graft
//!  dispatch --ok-> import --> [return stub] --ret--> graft
//!           -else-> leave
//!  signal handler -> unwind -> run
//! ```
//!
//! What is in brackets lies in the sandbox (see `gates`). A graft starts with every register clear
//! that carries no argument, and the host gets every register back but the result. Vector registers
//! are left alone for an image in whose text no instruction names one, as the verifier saw: such a
//! graft can neither read what the host left in them nor leave anything there.
//!
//! Everything an entry needs in order to return lives in its [`Activation`] and in the [`Frame`]
//! that `enter` pushes, on the host's stack. The thread block points at the frame of the graft that
//! runs, so activations nest, and could be suspended in a host function, without knowing of each
//! other. It points at the frame and not at the activation because the frame's address is the
//! host's stack pointer: each further load on the way out would delay the next entry.
//!
//! What an entry takes is instructions and taken branches, so what can be had without one is:
//! constants of the sandbox are computed from its base in registers; [`enter`] is no function but
//! is inlined, and resumed by an indirect jump, and clears vector registers in place; and registers
//! that C functions preserve are clobbered, so that a loop of calls saves them once.

use std::any::Any;
use std::arch::{asm, naked_asm};
use std::mem::{MaybeUninit, offset_of};

use super::instance::Core;
use super::signals::TrapRecord;
use super::sys;
use super::thread::ThreadBlock;

/// How many registers carry arguments.
pub(super) const ARGUMENTS_MAX: usize = 6;

/// What one entry into a graft needs in order to end.
///
/// The first fields are filled at each entry, so there are few; the rest are filled when a host
/// function is called or a signal ends the graft, and are read only after that.
#[repr(C)]
pub(super) struct Activation {
    /// Runs host functions for the type of host that the caller has.
    pub(super) dispatch: unsafe extern "C" fn(*mut Self, u32) -> Exit,
    /// The instance that runs.
    pub(super) core: *mut Core,
    /// The host, a pointer to the type that `dispatch` was made for.
    pub(super) host: *mut (),
    /// How to clear the vector registers wherever control passes between host and graft.
    pub(super) clearing: Clearing,
    /// What `import` notes of a host function's call.
    pub(super) import: MaybeUninit<ImportRecord>,
    /// Address of the sandbox's return stub, where `import` goes after `dispatch`.
    pub(super) return_stub: MaybeUninit<u64>,
    /// Filled when a host function panics.
    pub(super) panic: MaybeUninit<Box<dyn Any + Send>>,
    /// Filled by the signal handler when the graft traps.
    pub(super) trap: MaybeUninit<TrapRecord>,
}

/// A host function's call, from the graft's side.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct ImportRecord {
    /// The graft's stack pointer, at its return address.
    pub(super) graft_rsp: u64,
    /// The graft's argument registers.
    pub(super) arguments: [u64; ARGUMENTS_MAX],
}

const GRAFT_RSP: usize = offset_of!(Activation, import) + offset_of!(ImportRecord, graft_rsp);
const ARGUMENTS: usize = offset_of!(Activation, import) + offset_of!(ImportRecord, arguments);

/// The top of the host's stack while a graft runs; saved registers follow.
#[repr(C)]
pub(super) struct Frame {
    pub(super) activation: *mut Activation,
}

/// How an entry ended; returned in `%rax` and `%rdx`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Exit {
    /// The graft's result, or the code of an abort.
    pub(super) value: u64,
    /// One of the `EXIT_` constants.
    pub(super) kind: u64,
}

/// The graft returned, or the host function did; `value` is its result.
pub(super) const EXIT_RETURNED: u64 = 0;
/// A host function aborted the invocation; `value` is its code.
pub(super) const EXIT_ABORTED: u64 = 1;
/// The graft trapped or missed its deadline; the activation's trap record is filled.
pub(super) const EXIT_TRAPPED: u64 = 2;
/// The deadline passed while a host function ran.
pub(super) const EXIT_LATE: u64 = 3;
/// A host function panicked; the activation holds the payload.
pub(super) const EXIT_PANICKED: u64 = 4;

/// How to clear vector registers.
///
/// The order counts: assembly compares with `Avx`.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clearing {
    /// Not at all: no instruction of the graft names one.
    Nothing,
    /// With `vpxor`, after which AMD's processors run SSE code at full speed.
    Avx,
    /// And with `vzeroupper`: Intel's processors, which run SSE code slower while they believe an
    /// upper half to be in use, are told that none is.
    AvxClean,
    /// With `pxor`, on a processor without AVX, where the verifier's other instructions trap.
    Sse,
}

impl Clearing {
    /// What clears every vector register that a graft could read.
    pub(super) fn for_this_processor() -> Self {
        if !std::arch::is_x86_feature_detected!("avx") {
            Self::Sse
        } else if sys::is_amd() {
            Self::Avx
        } else {
            Self::AvxClean
        }
    }
}

/// Where an entry begins, in addresses.
#[derive(Clone, Copy)]
pub(super) struct Start {
    /// The function to enter.
    pub(super) target: u64,
    /// The sandbox's entry stub.
    pub(super) entry_stub: u64,
    /// The graft's first stack pointer.
    pub(super) stack: u64,
}

/// Clears every vector register of a processor without AVX.
macro_rules! sse_clear {
    () => {
        "pxor %xmm0,%xmm0
         pxor %xmm1,%xmm1
         pxor %xmm2,%xmm2
         pxor %xmm3,%xmm3
         pxor %xmm4,%xmm4
         pxor %xmm5,%xmm5
         pxor %xmm6,%xmm6
         pxor %xmm7,%xmm7
         pxor %xmm8,%xmm8
         pxor %xmm9,%xmm9
         pxor %xmm10,%xmm10
         pxor %xmm11,%xmm11
         pxor %xmm12,%xmm12
         pxor %xmm13,%xmm13
         pxor %xmm14,%xmm14
         pxor %xmm15,%xmm15"
    };
}

/// Clears every vector register that a graft can name, whole: a VEX instruction that writes an xmm
/// register zeroes the rest of its ymm and zmm register, so no upper half stays dirty.
///
/// Faster than `vzeroall` (1.5 ns against 0.5 ns on Zen 5). The verifier accepts no EVEX
/// instruction, so a graft cannot name the registers that this leaves alone: zmm16 to zmm31 and the
/// masks.
macro_rules! avx_clear {
    () => {
        "vpxor %xmm0,%xmm0,%xmm0
         vpxor %xmm1,%xmm1,%xmm1
         vpxor %xmm2,%xmm2,%xmm2
         vpxor %xmm3,%xmm3,%xmm3
         vpxor %xmm4,%xmm4,%xmm4
         vpxor %xmm5,%xmm5,%xmm5
         vpxor %xmm6,%xmm6,%xmm6
         vpxor %xmm7,%xmm7,%xmm7
         vpxor %xmm8,%xmm8,%xmm8
         vpxor %xmm9,%xmm9,%xmm9
         vpxor %xmm10,%xmm10,%xmm10
         vpxor %xmm11,%xmm11,%xmm11
         vpxor %xmm12,%xmm12,%xmm12
         vpxor %xmm13,%xmm13,%xmm13
         vpxor %xmm14,%xmm14,%xmm14
         vpxor %xmm15,%xmm15,%xmm15"
    };
}

/// Enters a graft with arguments in the registers of the C calling convention, and returns how it
/// ended.
///
/// # Safety
///
/// `block` is this thread's, which is prepared; `%gs` base is the sandbox's; the addresses are of
/// that sandbox, the target verified, and the stack aligned and in the sandbox. The activation is
/// complete and nothing else uses it meanwhile.
#[inline(always)]
pub(super) unsafe fn enter(
    block: *mut ThreadBlock,
    start: Start,
    arguments: [u64; ARGUMENTS_MAX],
    activation: *mut Activation,
) -> Exit {
    let [a, b, c, d, e, f] = arguments;
    let (value, kind);
    // SAFETY: by this function's contract the jump leads into a verified graft, and `leave` or
    // `unwind` resumes at label 2, with the stack, %rbx and %rbp as they were, the activation in
    // %r10 and every other register clear or a result.
    unsafe {
        asm!(
            "leaq 2f(%rip),%r14",
            "pushq %r14",
            "pushq %rbp",
            "pushq %rbx",
            "pushq %r10",
            "movq %rsp,{current}(%r13)",
            "movl {clearing}(%r10),%r10d",
            "cmpl ${avx},%r10d",
            "jne 3f",
            avx_clear!(),
            "4:",
            "movq %r12,%rsp",
            "xorl %ebx,%ebx",
            "xorl %ebp,%ebp",
            "xorl %r10d,%r10d",
            "xorl %r12d,%r12d",
            "xorl %r13d,%r13d",
            "xorl %r14d,%r14d",
            "xorl %r15d,%r15d",
            // The stub clears %eax, and calls %r11 so that the graft's `ret` is predicted.
            "jmpq *%rax",
            // Not `Avx`: nothing to do, or what few processors need.
            "3: jb 4b; callq {rare}; jmp 4b",
            "5:",
            "jb 6f",
            "callq {rare}",
            "jmp 6f",
            // Back from the graft.
            "2:",
            "movl {clearing}(%r10),%r10d",
            "cmpl ${avx},%r10d",
            "jne 5b",
            avx_clear!(),
            "6:",
            current = const offset_of!(ThreadBlock, current),
            clearing = const offset_of!(Activation, clearing),
            avx = const Clearing::Avx as u32,
            rare = sym clear_rarely,
            inlateout("rax") start.entry_stub => value,
            inlateout("rdi") a => _,
            inlateout("rsi") b => _,
            inlateout("rdx") c => kind,
            inlateout("rcx") d => _,
            inlateout("r8") e => _,
            inlateout("r9") f => _,
            inlateout("r10") activation => _,
            inlateout("r11") start.target => _,
            inlateout("r12") start.stack => _,
            inlateout("r13") block => _,
            lateout("r14") _,
            lateout("r15") _,
            clobber_abi("sysv64"),
            options(att_syntax),
        );
    }
    Exit { value, kind }
}

/// The ways out of a graft: where gates and signal handlers go.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Routines {
    pub(super) leave: unsafe extern "C" fn(),
    pub(super) import: unsafe extern "C" fn(),
    pub(super) unwind: unsafe extern "C" fn(),
}

/// The ways out on every thread.
pub(super) const ROUTINES: Routines = Routines {
    leave,
    import,
    unwind,
};

/// Clears vector registers in the way that `%r10d` says: `AvxClean` or `Sse`.
///
/// # Safety
///
/// Called by assembly that keeps nothing in vector registers.
#[unsafe(naked)]
unsafe extern "C" fn clear_rarely() {
    naked_asm!(
        "cmpl ${clean},%r10d",
        "jne 2f",
        avx_clear!(),
        "vzeroupper",
        "retq",
        "2:",
        sse_clear!(),
        "retq",
        clean = const Clearing::AvxClean as u32,
        options(att_syntax),
    )
}

/// Restores what the host expects and goes on in [`enter`].
///
/// In: the entry's [`Frame`] in `%rsp`, the [`Exit`] in `%rax` and `%rdx`.
macro_rules! back_to_host {
    () => {
        "popq %r10
         popq %rbx
         popq %rbp
         addq $8,%rsp
         xorl %ecx,%ecx
         xorl %esi,%esi
         xorl %edi,%edi
         xorl %r8d,%r8d
         xorl %r9d,%r9d
         xorl %r11d,%r11d
         xorl %r12d,%r12d
         xorl %r13d,%r13d
         xorl %r14d,%r14d
         xorl %r15d,%r15d
         jmpq *-8(%rsp)"
    };
}

/// Takes a graft's result back to `run`; reached from the exit gate only.
///
/// # Safety
///
/// Jumped to by a gate, while the thread block points at the entry's [`Frame`].
#[unsafe(naked)]
unsafe extern "C" fn leave() {
    naked_asm!(
        "movq vino_thread_block@gottpoff(%rip),%r11",
        "movq %fs:{current}(%r11),%rsp",
        "xorl %edx,%edx",
        back_to_host!(),
        current = const offset_of!(ThreadBlock, current),
        options(att_syntax),
    )
}

/// Ends an entry whose graft was stopped; the signal handler goes here.
///
/// # Safety
///
/// `%rsp` points at the entry's [`Frame`], `%rax` and `%rdx` hold the [`Exit`].
#[unsafe(naked)]
unsafe extern "C" fn unwind() {
    naked_asm!(back_to_host!(), options(att_syntax))
}

/// Runs a host function for a graft; reached from import gates only.
///
/// # Safety
///
/// Jumped to by a gate with the import's index in `%eax`, while the thread block points at the
/// entry's [`Frame`].
#[unsafe(naked)]
unsafe extern "C" fn import() {
    naked_asm!(
        "movq vino_thread_block@gottpoff(%rip),%r11",
        "movq %rsp,%r10",
        "movq %fs:{current}(%r11),%rsp",
        "movq (%rsp),%r11",
        "movq %r10,{graft_rsp}(%r11)",
        "movq %rdi,{arguments}(%r11)",
        "movq %rsi,{arguments}+8(%r11)",
        "movq %rdx,{arguments}+16(%r11)",
        "movq %rcx,{arguments}+24(%r11)",
        "movq %r8,{arguments}+32(%r11)",
        "movq %r9,{arguments}+40(%r11)",
        "movq %r11,%rdi",
        "movl %eax,%esi",
        "cmpl ${clean},{clearing}(%r11)",
        "je 5f",
        "6:",
        "callq *{dispatch}(%r11)",
        "testl %edx,%edx",
        "jne 2f",
        "movq (%rsp),%r10",
        "movl {clearing}(%r10),%r10d",
        "cmpl ${avx},%r10d",
        "jne 3f",
        avx_clear!(),
        "4:",
        "movq (%rsp),%r10",
        "movq vino_thread_block@gottpoff(%rip),%r11",
        "movq %rsp,%fs:{current}(%r11)",
        "movq {graft_rsp}(%r10),%rsp",
        "movq {return_stub}(%r10),%r11",
        "xorl %ecx,%ecx",
        "xorl %edx,%edx",
        "xorl %esi,%esi",
        "xorl %edi,%edi",
        "xorl %r8d,%r8d",
        "xorl %r9d,%r9d",
        "xorl %r10d,%r10d",
        "jmpq *%r11",
        "2:",
        back_to_host!(),
        "3:",
        "jb 4b",
        "callq {rare}",
        "jmp 4b",
        // The host function is C code, which may use SSE.
        "5:",
        "vzeroupper",
        "jmp 6b",
        graft_rsp = const GRAFT_RSP,
        return_stub = const offset_of!(Activation, return_stub),
        dispatch = const offset_of!(Activation, dispatch),
        clearing = const offset_of!(Activation, clearing),
        arguments = const ARGUMENTS,
        current = const offset_of!(ThreadBlock, current),
        avx = const Clearing::Avx as u32,
        clean = const Clearing::AvxClean as u32,
        rare = sym clear_rarely,
        options(att_syntax),
    )
}
