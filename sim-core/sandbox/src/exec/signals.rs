//! Turns what the processor refuses into the end of an invocation.
//!
//! A handler decides by one question: did the signal interrupt code inside the sandbox of the
//! activation that this thread runs? If so, it records the registers in the activation and resumes
//! the thread at `unwind`, on the host's stack. If not, the signal goes to whoever handled it
//! before. The graft's stack is never trusted: handlers run on a stack of their own.

use std::cell::Cell;
use std::io;
use std::mem::{self, MaybeUninit};
use std::ptr;
use std::sync::OnceLock;

use vino_abi::SANDBOX_BYTES;

use super::engine::process;
use super::entry::{Activation, EXIT_TRAPPED, Frame};
use super::error::EngineError;
use super::sys;
use super::thread::ThreadBlock;

/// Bytes of a thread's signal stack; the system's frame with AVX-512 and AMX state takes 12 KiB.
const SIGNAL_STACK_BYTES: usize = 64 * 1024;
/// Inaccessible bytes below a signal stack.
const SIGNAL_STACK_GUARD_BYTES: usize = 4096;

/// The signals by which the processor refuses an instruction.
const TRAPS: [libc::c_int; 5] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGILL,
    libc::SIGFPE,
    libc::SIGTRAP,
];

/// Flags that code of the host expects to be clear: trap, direction, nested task, alignment check.
const FLAGS_CLEARED: i64 = 1 << 8 | 1 << 10 | 1 << 14 | 1 << 18;

/// Indices of the general-purpose registers in a signal context, in the order of their encoding.
const REGISTER_ORDER: [usize; 16] = [
    libc::REG_RAX as usize,
    libc::REG_RCX as usize,
    libc::REG_RDX as usize,
    libc::REG_RBX as usize,
    libc::REG_RSP as usize,
    libc::REG_RBP as usize,
    libc::REG_RSI as usize,
    libc::REG_RDI as usize,
    libc::REG_R8 as usize,
    libc::REG_R9 as usize,
    libc::REG_R10 as usize,
    libc::REG_R11 as usize,
    libc::REG_R12 as usize,
    libc::REG_R13 as usize,
    libc::REG_R14 as usize,
    libc::REG_R15 as usize,
];

/// What a handler saw of a graft that trapped.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrapRecord {
    pub(super) signal: libc::c_int,
    /// The address of the access, where the signal has one.
    pub(super) address: u64,
    /// The processor's error code.
    pub(super) error: u64,
    /// The processor's exception number.
    pub(super) trap: u64,
    pub(super) pc: u64,
    /// In the order of their encoding: rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 to r15.
    pub(super) registers: [u64; 16],
}

/// The handlers of the process, and what they replaced.
pub(super) struct Signals {
    deadline: libc::c_int,
    previous: [OnceLock<libc::sigaction>; TRAPS.len()],
}

fn action_of(signal: libc::c_int) -> io::Result<libc::sigaction> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: a null action only asks; the kernel fills the whole structure.
    let status = unsafe { libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) };
    if status != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, and all-zero was a valid value before.
    Ok(unsafe { action.assume_init() })
}

fn set_action(signal: libc::c_int, action: &libc::sigaction) -> io::Result<()> {
    // SAFETY: the action is complete, and its handler follows the rules for handlers.
    let status = unsafe { libc::sigaction(signal, action, ptr::null_mut()) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

fn empty_set() -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: sigemptyset fills the set it is given.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: filled above, and all-zero was a valid value before.
    unsafe { set.assume_init() }
}

impl Signals {
    /// Chooses the signal that ends grafts at their deadline: the highest real-time signal that
    /// nobody handles.
    pub(super) fn choose() -> Result<Self, EngineError> {
        let free = |signal: &libc::c_int| {
            action_of(*signal).is_ok_and(|action| action.sa_sigaction == libc::SIG_DFL)
        };
        let deadline = (libc::SIGRTMIN()..=libc::SIGRTMAX()).rev().find(free);
        Ok(Self {
            deadline: deadline.ok_or(EngineError::NoFreeSignal)?,
            previous: [const { OnceLock::new() }; TRAPS.len()],
        })
    }

    /// Returns the signal that the watchdog sends.
    pub(super) fn deadline(&self) -> libc::c_int {
        self.deadline
    }

    /// Installs the handlers; from then on `process()` must find this value.
    pub(super) fn install(&self) -> Result<(), EngineError> {
        let handler: unsafe extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
            handle;
        let action = libc::sigaction {
            sa_sigaction: handler as usize,
            sa_mask: empty_set(),
            sa_flags: libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART,
            sa_restorer: None,
        };
        for (signal, previous) in TRAPS.iter().zip(&self.previous) {
            let fail = |source| EngineError::Handler {
                signal: *signal,
                source,
            };
            let before = action_of(*signal).map_err(fail)?;
            previous.get_or_init(|| before);
            set_action(*signal, &action).map_err(fail)?;
        }
        let fail = |source| EngineError::Handler {
            signal: self.deadline,
            source,
        };
        set_action(self.deadline, &action).map_err(fail)
    }

    /// Lets the calling thread receive the engine's signals, and sees to it that every handler of
    /// the process runs on the signal stack.
    ///
    /// A handler that ran on the current stack would run on the graft's: it would leave addresses
    /// of the host there, and could be starved of space.
    pub(super) fn admit_to_this_thread(&self) {
        let mut set = empty_set();
        for signal in TRAPS.into_iter().chain([self.deadline]) {
            // SAFETY: the set is initialised and the signal exists.
            unsafe { libc::sigaddset(&raw mut set, signal) };
        }
        // SAFETY: the set is initialised; only unblocks signals that the engine handles.
        unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, ptr::null_mut()) };
        for signal in 1..=libc::SIGRTMAX() {
            let Ok(mut action) = action_of(signal) else {
                continue;
            };
            let handled = ![libc::SIG_DFL, libc::SIG_IGN].contains(&action.sa_sigaction);
            if handled && action.sa_flags & libc::SA_ONSTACK == 0 {
                action.sa_flags |= libc::SA_ONSTACK;
                // Signals that belong to the C library cannot be changed, and need not be.
                drop(set_action(signal, &action));
            }
        }
    }

    fn previous(&self, signal: libc::c_int) -> Option<&libc::sigaction> {
        let index = TRAPS.iter().position(|trap| *trap == signal)?;
        self.previous[index].get()
    }
}

/// The handler of every signal of the engine.
///
/// # Safety
///
/// Called by the kernel as an `SA_SIGINFO` handler.
unsafe extern "C" fn handle(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    let Some(process) = process() else { return };
    let signals = process.signals();
    let is_deadline = signal == signals.deadline;
    // SAFETY: the kernel passes a ucontext_t to SA_SIGINFO handlers, valid until they return.
    let machine = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext };
    // SAFETY: the kernel passes a siginfo_t to SA_SIGINFO handlers, valid until they return.
    let info_ref = unsafe { &*info };
    let block = ThreadBlock::of_this_thread();
    let pc = machine.gregs[libc::REG_RIP as usize].cast_unsigned();
    // SAFETY: the block is this thread's.
    let base = unsafe { (*block).gs_base };
    // Code in the sandbox that the thread entered last runs only after `enter` and before `leave`.
    let inside = base != 0 && pc.wrapping_sub(base) < SANDBOX_BYTES;
    // Whoever sends SIGSEGV with kill(2) does not speak about the graft.
    let from_processor = info_ref.si_code > 0;
    if inside && (is_deadline || from_processor) {
        // SAFETY: the block is this thread's.
        let frame = unsafe { (*block).current };
        // SAFETY: while a graft runs the current frame lies on the host's stack of this thread,
        // below `run`.
        let activation = unsafe { (*frame).activation };
        // SAFETY: the activation lives in the frame of `run`, which is interrupted, so nothing
        // else accesses it.
        let activation = unsafe { &mut *activation };
        // SAFETY: the block is this thread's; the first free slot is that of the graft that runs.
        let watch = unsafe { (*block).free };
        // SAFETY: the thread is prepared, since it runs an activation, so its watch slots live.
        let watch = unsafe { &*watch };
        // A deadline may also be that of an activation that waits, or of one that is over.
        if !is_deadline || watch.is_expired() {
            // SAFETY: the kernel fills si_addr for the processor's signals; for others the bytes
            // are initialised all the same.
            let address = unsafe { info_ref.si_addr() } as u64;
            end_graft(activation, signal, address, machine);
            resume_in_host(machine, frame);
            return;
        }
    }
    if !is_deadline {
        let previous = signals.previous(signal);
        // SAFETY: passes on what the kernel passed in.
        unsafe { pass_on(signal, info, context, previous, from_processor) };
    }
}

/// Records why the graft ends.
fn end_graft(
    activation: &mut Activation,
    signal: libc::c_int,
    address: u64,
    machine: &libc::mcontext_t,
) {
    let register = |index: usize| machine.gregs[index].cast_unsigned();
    activation.trap.write(TrapRecord {
        signal,
        address,
        error: register(libc::REG_ERR as usize),
        trap: register(libc::REG_TRAPNO as usize),
        pc: register(libc::REG_RIP as usize),
        registers: REGISTER_ORDER.map(register),
    });
}

/// Makes the interrupted thread go on at `unwind`, on the host's stack.
fn resume_in_host(machine: &mut libc::mcontext_t, frame: *mut Frame) {
    let block = ThreadBlock::of_this_thread();
    // SAFETY: the block is this thread's, which is prepared, since it ran a graft.
    let unwind = unsafe { (*block).routines.unwind };
    let mut set = |index: usize, value: u64| machine.gregs[index] = value.cast_signed();
    set(libc::REG_RIP as usize, unwind as usize as u64);
    set(libc::REG_RSP as usize, frame as u64);
    set(libc::REG_RAX as usize, 0);
    set(libc::REG_RDX as usize, EXIT_TRAPPED);
    machine.gregs[libc::REG_EFL as usize] &= !FLAGS_CLEARED;
}

/// Does with a signal what would have been done without this crate.
///
/// # Safety
///
/// The arguments are those of a handler that is running.
unsafe fn pass_on(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
    previous: Option<&libc::sigaction>,
    from_processor: bool,
) {
    let action = previous.map_or(libc::SIG_DFL, |previous| previous.sa_sigaction);
    if action == libc::SIG_IGN && !from_processor {
        return;
    }
    if action == libc::SIG_DFL || action == libc::SIG_IGN {
        // With the default action back, a fault happens again when the handler returns; what was
        // sent, or traps after its instruction, has to be sent again.
        let default = libc::sigaction {
            sa_sigaction: libc::SIG_DFL,
            sa_mask: empty_set(),
            sa_flags: 0,
            sa_restorer: None,
        };
        drop(set_action(signal, &default));
        if !from_processor || signal == libc::SIGTRAP {
            drop(sys::signal_thread(sys::thread_id(), signal));
        }
        return;
    }
    if previous.is_some_and(|previous| previous.sa_flags & libc::SA_SIGINFO != 0) {
        type Handler = unsafe extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
        // SAFETY: the action was installed with SA_SIGINFO and is neither default nor ignore, so it
        // is the address of a function of this type.
        let handler = unsafe { mem::transmute::<usize, Handler>(action) };
        // SAFETY: passes on what the kernel passed in.
        unsafe { handler(signal, info, context) };
        return;
    }
    type Handler = unsafe extern "C" fn(libc::c_int);
    // SAFETY: the action was installed without SA_SIGINFO and is neither default nor ignore, so it
    // is the address of a function of this type.
    let handler = unsafe { mem::transmute::<usize, Handler>(action) };
    // SAFETY: passes on what the kernel passed in.
    unsafe { handler(signal) };
}

/// The stack on which a thread's signal handlers run, from when it first enters a graft.
pub(super) struct SignalStack {
    mapping: usize,
    // The stack belongs to the thread that installed it.
    _on_one_thread: Cell<()>,
}

const MAPPING_BYTES: usize = SIGNAL_STACK_GUARD_BYTES + SIGNAL_STACK_BYTES;

impl SignalStack {
    /// Installs a signal stack for the calling thread.
    pub(super) fn install() -> io::Result<Self> {
        let mapping = sys::map(MAPPING_BYTES)?;
        let stack = Self {
            mapping,
            _on_one_thread: Cell::new(()),
        };
        let bottom = mapping + SIGNAL_STACK_GUARD_BYTES;
        // SAFETY: the pages were just mapped and nothing points into them.
        unsafe { sys::forbid(mapping, SIGNAL_STACK_GUARD_BYTES) }?;
        let description = libc::stack_t {
            ss_sp: ptr::with_exposed_provenance_mut(bottom),
            ss_flags: 0,
            ss_size: SIGNAL_STACK_BYTES,
        };
        // SAFETY: the stack stays mapped until `drop`, which takes it out of use first.
        let status = unsafe { libc::sigaltstack(&raw const description, ptr::null_mut()) };
        if status == 0 {
            Ok(stack)
        } else {
            Err(io::Error::last_os_error())
        }
    }
}

impl Drop for SignalStack {
    fn drop(&mut self) {
        let mut now = MaybeUninit::<libc::stack_t>::zeroed();
        // SAFETY: a null description only asks; the kernel fills the whole structure.
        let asked = unsafe { libc::sigaltstack(ptr::null(), now.as_mut_ptr()) };
        // SAFETY: filled if the call succeeded, and all-zero is a valid value.
        let now = unsafe { now.assume_init() };
        let ours = now.ss_sp.addr() == self.mapping + SIGNAL_STACK_GUARD_BYTES;
        if asked == 0 && ours {
            let none = libc::stack_t {
                ss_sp: ptr::null_mut(),
                ss_flags: libc::SS_DISABLE,
                ss_size: SIGNAL_STACK_BYTES,
            };
            // SAFETY: takes the stack out of use; no handler runs on it, since a destructor does.
            unsafe { libc::sigaltstack(&raw const none, ptr::null_mut()) };
        }
        // Failing to unmap leaks memory and harms nobody.
        drop(sys::release(self.mapping, MAPPING_BYTES));
    }
}
