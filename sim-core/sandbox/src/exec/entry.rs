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
//! that carries no argument, and the host gets every register back but the result.
//!
//! Everything an entry needs in order to return lives in its [`Activation`], on the host's stack.
//! The thread block points at the activation only while the graft runs, so activations nest, and
//! could be suspended in a host function, without knowing of each other.

use std::arch::naked_asm;
use std::mem::{MaybeUninit, offset_of};

use super::instance::Core;
use super::signals::TrapRecord;
use super::thread::ThreadBlock;

/// How many registers carry arguments.
pub(super) const ARGUMENTS_MAX: usize = 6;

/// What one entry into a graft needs in order to end.
#[repr(C)]
pub(super) struct Activation {
    /// The host's stack pointer at the entry.
    pub(super) host_rsp: u64,
    /// The graft's stack pointer while a host function runs.
    pub(super) graft_rsp: u64,
    /// Address of the sandbox's return stub.
    pub(super) return_stub: u64,
    /// Runs host functions for the type of host that the caller has.
    pub(super) dispatch: unsafe extern "C" fn(*mut Self, u32) -> Exit,
    /// The arguments of the host function that runs.
    pub(super) arguments: [u64; ARGUMENTS_MAX],
    /// The sandbox's base, by which a signal handler tells the graft's code from the host's.
    pub(super) base: u64,
    /// Which of the thread's watch slots the entry uses.
    pub(super) watch_slot: usize,
    /// The instance that runs.
    pub(super) core: *mut Core,
    /// The host, a pointer to the type that `dispatch` was made for.
    pub(super) host: *mut (),
    /// What a panic in a host function carried, until the caller resumes it.
    pub(super) panic: Option<Box<dyn std::any::Any + Send>>,
    /// Filled by the signal handler when the graft traps.
    pub(super) trap: MaybeUninit<TrapRecord>,
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

/// Enters a graft.
pub(super) type EnterFn = unsafe extern "C" fn(
    activation: *mut Activation,
    arguments: *const [u64; ARGUMENTS_MAX],
    entry_stub: u64,
    target: u64,
    stack: u64,
) -> Exit;

/// The transfers, for processors with or without AVX.
#[derive(Clone, Copy, Debug)]
pub(super) struct Routines {
    pub(super) enter: EnterFn,
    pub(super) leave: unsafe extern "C" fn(),
    pub(super) import: unsafe extern "C" fn(),
    pub(super) unwind: unsafe extern "C" fn(),
}

impl Routines {
    /// Picks the transfers that clear every vector register a graft could read.
    pub(super) fn for_this_processor() -> Self {
        if std::arch::is_x86_feature_detected!("avx") {
            avx::ROUTINES
        } else {
            sse::ROUTINES
        }
    }
}

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

// The verifier accepts no EVEX instruction, so a graft cannot name the registers that VZEROALL
// leaves alone (zmm16 to zmm31 and the masks).
macro_rules! avx_clear {
    () => {
        "vzeroall"
    };
}

/// Restores what the host expects and returns to `run`. In: `%rsp` as at the end of the entry's
/// pushes, the [`Exit`] in `%rax` and `%rdx`.
macro_rules! back_to_host {
    ($clear:ident) => {
        concat!(
            $clear!(),
            "
             addq $8,%rsp
             popq %r15
             popq %r14
             popq %r13
             popq %r12
             popq %rbx
             popq %rbp
             xorl %ecx,%ecx
             xorl %esi,%esi
             xorl %edi,%edi
             xorl %r8d,%r8d
             xorl %r9d,%r9d
             xorl %r10d,%r10d
             xorl %r11d,%r11d
             ret"
        )
    };
}

macro_rules! transfers {
    ($module:ident, $clear:ident, $upper:literal) => {
        mod $module {
            use super::*;

            pub(super) const ROUTINES: Routines = Routines { enter, leave, import, unwind };

            /// Switches to the sandbox's stack and jumps to its entry stub.
            ///
            /// # Safety
            ///
            /// The activation is complete, the thread prepared, `%gs` base the sandbox's, the
            /// target verified, and the stack mapped and aligned.
            #[unsafe(naked)]
            unsafe extern "C" fn enter(
                activation: *mut Activation,
                arguments: *const [u64; ARGUMENTS_MAX],
                entry_stub: u64,
                target: u64,
                stack: u64,
            ) -> Exit {
                naked_asm!(
                    "pushq %rbp",
                    "pushq %rbx",
                    "pushq %r12",
                    "pushq %r13",
                    "pushq %r14",
                    "pushq %r15",
                    "subq $8,%rsp",
                    "movq %rsp,{host_rsp}(%rdi)",
                    "movq vino_thread_block@gottpoff(%rip),%rax",
                    "movq %rdi,%fs:{current}(%rax)",
                    "movq %rdx,%rax",
                    "movq %rcx,%r11",
                    "movq %r8,%rsp",
                    "movq %rsi,%r10",
                    "movq (%r10),%rdi",
                    "movq 8(%r10),%rsi",
                    "movq 16(%r10),%rdx",
                    "movq 24(%r10),%rcx",
                    "movq 32(%r10),%r8",
                    "movq 40(%r10),%r9",
                    "xorl %ebx,%ebx",
                    "xorl %ebp,%ebp",
                    "xorl %r10d,%r10d",
                    "xorl %r12d,%r12d",
                    "xorl %r13d,%r13d",
                    "xorl %r14d,%r14d",
                    "xorl %r15d,%r15d",
                    $clear!(),
                    // The stub clears %rax, and calls %r11 so that the graft's `ret` is predicted.
                    "jmpq *%rax",
                    host_rsp = const offset_of!(Activation, host_rsp),
                    current = const offset_of!(ThreadBlock, current),
                    options(att_syntax),
                )
            }

            /// Takes a graft's result back to `run`; reached from the exit gate only.
            ///
            /// # Safety
            ///
            /// Jumped to by a gate, while the thread block points at the graft's activation.
            #[unsafe(naked)]
            unsafe extern "C" fn leave() {
                naked_asm!(
                    "movq vino_thread_block@gottpoff(%rip),%r11",
                    "movq %fs:{current}(%r11),%r10",
                    "movq $0,%fs:{current}(%r11)",
                    "movq {host_rsp}(%r10),%rsp",
                    "xorl %edx,%edx",
                    back_to_host!($clear),
                    host_rsp = const offset_of!(Activation, host_rsp),
                    current = const offset_of!(ThreadBlock, current),
                    options(att_syntax),
                )
            }

            /// Ends an entry whose graft was stopped; the signal handler goes here.
            ///
            /// # Safety
            ///
            /// `%rsp` is the activation's `host_rsp`, `%rax` and `%rdx` hold the [`Exit`].
            #[unsafe(naked)]
            unsafe extern "C" fn unwind() {
                naked_asm!(back_to_host!($clear), options(att_syntax))
            }

            /// Runs a host function for a graft; reached from import gates only.
            ///
            /// # Safety
            ///
            /// Jumped to by a gate with the import's index in `%eax`, while the thread block points
            /// at the graft's activation.
            #[unsafe(naked)]
            unsafe extern "C" fn import() {
                naked_asm!(
                    "movq vino_thread_block@gottpoff(%rip),%r11",
                    "movq %fs:{current}(%r11),%r10",
                    "movq $0,%fs:{current}(%r11)",
                    "movq %rsp,{graft_rsp}(%r10)",
                    "movq {host_rsp}(%r10),%rsp",
                    "movq %rdi,{arguments}(%r10)",
                    "movq %rsi,{arguments}+8(%r10)",
                    "movq %rdx,{arguments}+16(%r10)",
                    "movq %rcx,{arguments}+24(%r10)",
                    "movq %r8,{arguments}+32(%r10)",
                    "movq %r9,{arguments}+40(%r10)",
                    // Twice, to keep the stack aligned.
                    "pushq %r10",
                    "pushq %r10",
                    "movq %r10,%rdi",
                    "movl %eax,%esi",
                    $upper,
                    "callq *{dispatch}(%r10)",
                    "popq %r10",
                    "popq %r10",
                    "testl %edx,%edx",
                    "jne 2f",
                    "movq vino_thread_block@gottpoff(%rip),%r11",
                    "movq %r10,%fs:{current}(%r11)",
                    "movq {graft_rsp}(%r10),%rsp",
                    "movq {return_stub}(%r10),%r11",
                    "xorl %ecx,%ecx",
                    "xorl %edx,%edx",
                    "xorl %esi,%esi",
                    "xorl %edi,%edi",
                    "xorl %r8d,%r8d",
                    "xorl %r9d,%r9d",
                    "xorl %r10d,%r10d",
                    $clear!(),
                    "jmpq *%r11",
                    "2:",
                    back_to_host!($clear),
                    graft_rsp = const offset_of!(Activation, graft_rsp),
                    host_rsp = const offset_of!(Activation, host_rsp),
                    return_stub = const offset_of!(Activation, return_stub),
                    dispatch = const offset_of!(Activation, dispatch),
                    arguments = const offset_of!(Activation, arguments),
                    current = const offset_of!(ThreadBlock, current),
                    options(att_syntax),
                )
            }
        }
    };
}

transfers!(avx, avx_clear, "vzeroupper");
transfers!(sse, sse_clear, "");
