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
//! Everything an entry needs in order to return lives in its [`Activation`] and in the [`Frame`]
//! that `enter` pushes, on the host's stack. The thread block points at the frame only while the
//! graft runs, so activations nest, and could be suspended in a host function, without knowing of
//! each other. It points at the frame and not at the activation because the frame's address is the
//! host's stack pointer: each further load on the way out would delay the next entry.

use std::any::Any;
use std::arch::naked_asm;
use std::mem::{MaybeUninit, offset_of};

use super::instance::Core;
use super::signals::TrapRecord;
use super::thread::ThreadBlock;
use super::watchdog::WatchSlot;

/// How many registers carry arguments.
pub(super) const ARGUMENTS_MAX: usize = 6;

/// What one entry into a graft needs in order to begin and to end.
///
/// The first fields are filled by `run` at each entry, so there are few; the rest are filled when a
/// host function is called or a signal ends the graft, and are read only after that.
#[repr(C)]
pub(super) struct Activation {
    /// Address of the function to enter.
    pub(super) target: u64,
    /// Address of the sandbox's entry stub.
    pub(super) entry_stub: u64,
    /// The graft's first stack pointer.
    pub(super) stack: u64,
    /// Runs host functions for the type of host that the caller has.
    pub(super) dispatch: unsafe extern "C" fn(*mut Self, u32) -> Exit,
    /// The instance that runs.
    pub(super) core: *mut Core,
    /// The host, a pointer to the type that `dispatch` was made for.
    pub(super) host: *mut (),
    /// The watch slot that the entry uses.
    pub(super) watch: *const WatchSlot,
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

/// Enters a graft with six arguments in their registers.
pub(super) type EnterFn =
    unsafe extern "C" fn(u64, u64, u64, u64, u64, u64, activation: *mut Activation) -> Exit;

/// The transfers, for processors with or without AVX.
#[repr(C)]
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

    #[cfg(test)]
    pub(super) fn without_avx() -> Self {
        sse::ROUTINES
    }
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

/// Clears every vector register that a graft can name, whole.
///
/// Faster than `vzeroall` (1.2 ns against 0.5 ns on Zen 5), and `vzeroupper` tells processors that
/// care that the upper halves are clean. The verifier accepts no EVEX instruction, so a graft
/// cannot name the registers that this leaves alone: zmm16 to zmm31 and the masks.
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
         vpxor %xmm15,%xmm15,%xmm15
         vzeroupper"
    };
}

/// Restores what the host expects and returns to `run`. In: the entry's [`Frame`] in `%rsp`, the
/// [`Exit`] in `%rax` and `%rdx`.
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
            /// target verified, and the stack aligned and in the sandbox.
            #[unsafe(naked)]
            unsafe extern "C" fn enter(
                _: u64,
                _: u64,
                _: u64,
                _: u64,
                _: u64,
                _: u64,
                activation: *mut Activation,
            ) -> Exit {
                naked_asm!(
                    // The seventh argument is on the stack.
                    "movq 8(%rsp),%rax",
                    "pushq %rbp",
                    "pushq %rbx",
                    "pushq %r12",
                    "pushq %r13",
                    "pushq %r14",
                    "pushq %r15",
                    "pushq %rax",
                    "movq vino_thread_block@gottpoff(%rip),%r10",
                    "movq %rsp,%fs:{current}(%r10)",
                    "movq {target}(%rax),%r11",
                    "movq {stack}(%rax),%rsp",
                    "movq {entry_stub}(%rax),%rax",
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
                    target = const offset_of!(Activation, target),
                    stack = const offset_of!(Activation, stack),
                    entry_stub = const offset_of!(Activation, entry_stub),
                    current = const offset_of!(ThreadBlock, current),
                    options(att_syntax),
                )
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
                    "movq $0,%fs:{current}(%r11)",
                    "xorl %edx,%edx",
                    back_to_host!($clear),
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
                naked_asm!(back_to_host!($clear), options(att_syntax))
            }

            /// Runs a host function for a graft; reached from import gates only.
            ///
            /// # Safety
            ///
            /// Jumped to by a gate with the import's index in `%eax`, while the thread block points
            /// at the entry's [`Frame`].
            #[unsafe(naked)]
            unsafe extern "C" fn import() {
                naked_asm!(
                    "movq vino_thread_block@gottpoff(%rip),%r11",
                    "movq %rsp,%r10",
                    "movq %fs:{current}(%r11),%rsp",
                    "movq $0,%fs:{current}(%r11)",
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
                    $upper,
                    "callq *{dispatch}(%r11)",
                    "testl %edx,%edx",
                    "jne 2f",
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
                    $clear!(),
                    "jmpq *%r11",
                    "2:",
                    back_to_host!($clear),
                    graft_rsp = const GRAFT_RSP,
                    return_stub = const offset_of!(Activation, return_stub),
                    dispatch = const offset_of!(Activation, dispatch),
                    arguments = const ARGUMENTS,
                    current = const offset_of!(ThreadBlock, current),
                    options(att_syntax),
                )
            }
        }
    };
}

transfers!(avx, avx_clear, "vzeroupper");
transfers!(sse, sse_clear, "");
