//! What a thread needs before it may enter a graft, and the words that gates find through `%fs`.
//!
//! No address of the host may be stored in a sandbox, not even in its gates. They reach the host
//! through the thread block: a few words of thread-local storage whose distance from the thread
//! pointer is one constant of the process.

use std::arch::{asm, global_asm};
use std::cell::RefCell;
use std::mem::offset_of;
use std::ptr;
use std::sync::Arc;

use super::engine::Process;
use super::entry::{Frame, ROUTINES, Routines};
use super::signals::SignalStack;
use super::sys;
use super::watchdog::{ThreadWatch, WatchSlot};

/// The words of a thread that entries, gates and signal handlers share.
#[repr(C)]
pub(super) struct ThreadBlock {
    /// The frame of the entry whose graft the thread is running; stale whenever code of the host
    /// runs, which is when no program counter is in the sandbox at `gs_base`.
    pub(super) current: *mut Frame,
    /// Where gates and signal handlers go: in a sandbox is no address of the host.
    pub(super) routines: Routines,
    /// The `%gs` base that was set last, 0 when none was.
    pub(super) gs_base: u64,
    /// The list of watch slots that no waiting activation uses; its first is for the graft that
    /// runs, or runs next. Null when activations nest too deep or the thread is not prepared.
    pub(super) free: *const WatchSlot,
    /// What the watchdog sees of this thread; null until the thread is prepared.
    pub(super) watch: *const ThreadWatch,
}

/// Offset in the thread block of the word that the exit gate jumps through.
pub(super) const LEAVE_OFFSET: usize = offset_of!(ThreadBlock, routines.leave);
/// Offset in the thread block of the word that import gates jump through.
pub(super) const IMPORT_OFFSET: usize = offset_of!(ThreadBlock, routines.import);

// Not `thread_local!`: gates need the block at one constant distance from %fs on every thread,
// which only the initial-exec model promises.
global_asm!(
    ".pushsection .tbss,\"awT\",@nobits",
    ".globl vino_thread_block",
    ".hidden vino_thread_block",
    ".type vino_thread_block,@object",
    ".size vino_thread_block,{bytes}",
    ".balign 64",
    "vino_thread_block:",
    ".zero {bytes}",
    ".popsection",
    bytes = const size_of::<ThreadBlock>(),
    options(att_syntax),
);

impl ThreadBlock {
    /// Returns the calling thread's block.
    ///
    /// The block is plain memory that only its own thread touches; it lives as long as the thread.
    #[inline(always)]
    pub(super) fn of_this_thread() -> *mut Self {
        let block: *mut Self;
        // SAFETY: reads the thread pointer and a link-time constant; %fs:0 holds the thread pointer
        // on x86-64 Linux.
        unsafe {
            asm!(
                "movq vino_thread_block@gottpoff(%rip), {0}",
                "addq %fs:0, {0}",
                out(reg) block,
                options(att_syntax, nostack, pure, readonly),
            );
        }
        block
    }

    /// Returns how far the block is from the thread pointer, on every thread.
    pub(super) fn distance() -> i64 {
        let distance: i64;
        // SAFETY: reads a link-time constant.
        unsafe {
            asm!(
                "movq vino_thread_block@gottpoff(%rip), {0}",
                out(reg) distance,
                options(att_syntax, nostack, pure, readonly),
            );
        }
        distance
    }
}

/// What one thread gives back when it ends.
struct Prepared {
    watch: Arc<ThreadWatch>,
    process: &'static Process,
    // Dropped with the rest: the handlers' stack, once nothing can enter a graft here.
    _stack: SignalStack,
}

impl Drop for Prepared {
    fn drop(&mut self) {
        let block = ThreadBlock::of_this_thread();
        // SAFETY: the block is this thread's own, and no graft runs in a thread-local destructor.
        unsafe { (*block).watch = ptr::null() };
        // SAFETY: as above; with the watch go its slots.
        unsafe { (*block).free = ptr::null() };
        self.process.watchdog().forget(&self.watch);
    }
}

thread_local! {
    static PREPARED: RefCell<Option<Prepared>> = const { RefCell::new(None) };
}

/// Prepares the calling thread, once: signal stack, signal mask, watch, thread block.
///
/// Returns the list of free watch slots.
///
/// # Panics
///
/// The system has no memory for a signal stack or keeps the thread's clock to itself, or the
/// thread is past its thread-local destructors.
#[cold]
pub(super) fn prepare(process: &'static Process) -> *const WatchSlot {
    let stack = SignalStack::install().expect("a thread that runs grafts needs a signal stack");
    process.signals().admit_to_this_thread();
    let clock = sys::thread_clock().expect("a thread has a clock of its own");
    // Without it no deadline would ever be reached.
    sys::read_thread_clock(clock).expect("the system lets a thread's clock be read");
    let watch = Arc::new(ThreadWatch::new(sys::thread_id(), clock));
    process.watchdog().remember(&watch);
    let block = ThreadBlock::of_this_thread();
    let free = watch.free_list();
    let address = Arc::as_ptr(&watch);
    let fresh = ThreadBlock {
        current: ptr::null_mut(),
        routines: ROUTINES,
        gs_base: 0,
        free,
        watch: address,
    };
    let prepared = Prepared {
        watch,
        process,
        _stack: stack,
    };
    PREPARED.with(|place| *place.borrow_mut() = Some(prepared));
    // SAFETY: the block is this thread's own, and no graft runs on an unprepared thread.
    unsafe { block.write(fresh) };
    free
}

/// Makes `base` the `%gs` base of this thread.
///
/// # Safety
///
/// `block` is the calling thread's.
#[cold]
pub(super) unsafe fn set_gs_base(block: *mut ThreadBlock, base: u64, fsgsbase: bool) {
    if fsgsbase {
        // SAFETY: `fsgsbase` says that the instruction is enabled; nothing but grafts uses %gs.
        unsafe { asm!("wrgsbase {0}", in(reg) base, options(nostack, nomem, preserves_flags)) };
    } else {
        sys::set_gs_base(base).expect("arch_prctl sets %gs to any user address");
    }
    // SAFETY: the block is the calling thread's, by this function's contract.
    unsafe { (*block).gs_base = base };
}
