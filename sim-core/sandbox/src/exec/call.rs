//! One invocation: from the host's call to the graft's return, or to its end.

use std::mem::MaybeUninit;
use std::panic::{self, AssertUnwindSafe};
use std::ptr;

use vino_abi::STACK_END;

use super::entry::{
    self, ARGUMENTS_MAX, Activation, EXIT_ABORTED, EXIT_LATE, EXIT_PANICKED, EXIT_RETURNED,
    EXIT_TRAPPED, Exit, Start,
};
use super::fault::{self, FaultKind, GraftFault};
use super::gates;
use super::host::{GraftMemory, Host, HostAbort};
use super::instance::{Core, Entry};
use super::thread::{self, ThreadBlock};
use super::watchdog::WatchSlot;

/// Bytes left alone below the stack pointer of a graft that is called back: its red zone.
const RED_ZONE_BYTES: u64 = 128;
/// The alignment of a stack at a call.
const STACK_ALIGNMENT: u64 = 16;

/// Invokes a graft that is not running.
#[inline(always)]
pub(super) fn call_fresh<H: Host>(
    core: &mut Core,
    entry: Entry,
    args: &[u64],
    host: &mut H,
) -> Result<u64, GraftFault> {
    let stack = core.base() + u64::from(STACK_END);
    run::<H, false>(core, stack, entry, in_registers(args), host)
}

/// Pads arguments with zeros to the registers that carry them.
///
/// Inlined and without a copy of unknown length, so that the usual array of known length costs
/// nothing.
#[inline(always)]
fn in_registers(args: &[u64]) -> [u64; ARGUMENTS_MAX] {
    assert!(
        args.len() <= ARGUMENTS_MAX,
        "a graft takes at most six arguments"
    );
    let [a, b, c, d, e, f] = [0, 1, 2, 3, 4, 5].map(|index| args.get(index).copied());
    let or_zero = Option::unwrap_or_default;
    [
        or_zero(a),
        or_zero(b),
        or_zero(c),
        or_zero(d),
        or_zero(e),
        or_zero(f),
    ]
}

/// Invokes a graft that waits for a host function, on the free part of its stack.
pub(super) fn call_below<H: Host>(
    core: &mut Core,
    graft_rsp: u64,
    entry: Entry,
    args: &[u64],
    host: &mut H,
) -> Result<u64, GraftFault> {
    let stack = graft_rsp.wrapping_sub(RED_ZONE_BYTES) & !(STACK_ALIGNMENT - 1);
    // A graft may have put its stack anywhere; the gates push only to where its stack belongs.
    if !core.stack_range().contains(&stack) {
        return Err(fault::refused(
            core,
            FaultKind::StackOverflow,
            entry.offset(),
        ));
    }
    run::<H, true>(core, stack, entry, in_registers(args), host)
}

/// Enters a graft and tells how it ended; `BACK` if it is called back.
#[inline(always)]
fn run<H: Host, const BACK: bool>(
    core: &mut Core,
    stack: u64,
    entry: Entry,
    arguments: [u64; ARGUMENTS_MAX],
    host: &mut H,
) -> Result<u64, GraftFault> {
    assert!(
        core.owns(entry),
        "an entry is called on the instance that it was looked up in"
    );
    let process = core.process;
    let block = ThreadBlock::of_this_thread();
    // SAFETY: the block is this thread's.
    let mut slot = unsafe { (*block).free };
    if slot.is_null() {
        slot = first_slot(core, block, entry)?;
    }
    let base = core.base();
    let deadline_us = core.deadline_us;
    let start = Start {
        target: base + u64::from(entry.offset()),
        entry_stub: base + u64::from(gates::ENTRY_STUB),
        stack,
    };
    let mut activation = Activation {
        dispatch: dispatch::<H>,
        clearing: core.clearing,
        core: ptr::from_mut(core),
        host: ptr::from_mut(host).cast(),
        import: MaybeUninit::uninit(),
        return_stub: MaybeUninit::uninit(),
        panic: MaybeUninit::uninit(),
        trap: MaybeUninit::uninit(),
    };
    // SAFETY: the thread is prepared: its slots live until its thread-local destructors run.
    let slot = unsafe { &*slot };
    if BACK {
        slot.set_called_back(true);
    }
    slot.start(deadline_us);
    process.watchdog().notice_start();
    // SAFETY: the block is this thread's.
    unsafe { load_gs(block, base, process.fsgsbase()) };
    // SAFETY: the block is this thread's, which is prepared, and %gs base set, above; the
    // activation is complete and outlives the call; `target` is a verified entry of this instance,
    // because `core.owns(entry)`; `stack` is aligned and the gates' push lands in the sandbox or
    // its guard.
    let exit = unsafe { entry::enter(block, start, arguments, &raw mut activation) };
    slot.end();
    if BACK {
        slot.set_called_back(false);
    }
    if exit.kind == EXIT_RETURNED {
        return Ok(exit.value);
    }
    Err(ended_early(core, &mut activation, exit))
}

/// Finds a watch slot for the first entry of a thread; fails if its entries nest too deep.
#[cold]
fn first_slot(
    core: &Core,
    block: *mut ThreadBlock,
    entry: Entry,
) -> Result<*const WatchSlot, GraftFault> {
    // SAFETY: the block is this thread's.
    if unsafe { (*block).watch.is_null() } {
        return Ok(thread::prepare(core.process));
    }
    Err(fault::refused(core, FaultKind::TooDeep, entry.offset()))
}

/// Makes the sandbox's base the `%gs` base of this thread, which it nearly always is.
///
/// # Safety
///
/// `block` is the calling thread's.
#[inline(always)]
unsafe fn load_gs(block: *mut ThreadBlock, base: u64, fsgsbase: bool) {
    // SAFETY: the block is this thread's, by this function's contract.
    if unsafe { (*block).gs_base } != base {
        // SAFETY: as above.
        unsafe { thread::set_gs_base(block, base, fsgsbase) };
    }
}

/// Tells why an invocation did not return.
#[cold]
fn ended_early(core: &Core, activation: &mut Activation, exit: Exit) -> GraftFault {
    if exit.kind == EXIT_TRAPPED {
        // SAFETY: only the signal handler returns EXIT_TRAPPED, once it filled the record.
        let record = unsafe { activation.trap.assume_init_ref() };
        let deadline = record.signal == core.process.signals().deadline();
        return fault::trapped(core, record, deadline);
    }
    if exit.kind == EXIT_PANICKED {
        // SAFETY: only `dispatch` returns EXIT_PANICKED, once it stored the payload; it is taken
        // once, since this ends the activation.
        panic::resume_unwind(unsafe { activation.panic.assume_init_read() });
    }
    // SAFETY: what is left is returned by `dispatch`, which `import` calls once it noted the call.
    let import = unsafe { activation.import.assume_init_ref() };
    let kind = if exit.kind == EXIT_ABORTED {
        FaultKind::Aborted(u32::try_from(exit.value).unwrap_or(u32::MAX))
    } else {
        FaultKind::Deadline
    };
    fault::stopped(core, import.graft_rsp, kind)
}

/// Runs a host function of a host of type `H` for the graft of an activation.
///
/// # Safety
///
/// Called by `import` with the activation that `run::<H>` entered and that now waits.
unsafe extern "C" fn dispatch<H: Host>(activation: *mut Activation, import: u32) -> Exit {
    // SAFETY: the activation lives in the frame of `run`, which waits in `enter`.
    let activation = unsafe { &mut *activation };
    // SAFETY: `import` noted the call before it called this.
    let call = unsafe { activation.import.assume_init() };
    // SAFETY: `run::<H>` made the pointer from its exclusive borrow and does not use it meanwhile.
    let host = unsafe { &mut *activation.host.cast::<H>() };
    // SAFETY: as for the host.
    let core = unsafe { &mut *activation.core };
    let base = core.base();
    let process = core.process;
    activation
        .return_stub
        .write(base + u64::from(gates::RETURN_STUB));
    let block = ThreadBlock::of_this_thread();
    // SAFETY: the block is this thread's; the first free slot is that of the graft that runs.
    let watch = unsafe { (*block).free };
    // SAFETY: the thread is prepared, since it runs an activation, so its watch slots live.
    let watch = unsafe { &*watch };
    // While the host function runs, entries from it must not use this activation's watch slot,
    // which is the first of the free ones as long as the graft runs.
    // SAFETY: the block is this thread's.
    unsafe { (*block).free = watch.next() };
    let mut memory = GraftMemory::new(core, call.graft_rsp);
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
        let answer = host.call(&mut memory, import, &call.arguments);
        // The host function may have forked: the graft goes on in a process without a watchdog.
        process.watchdog().notice_start();
        answer
    }));
    // SAFETY: the block is this thread's: an activation ends on the thread where it began.
    watch.put_before(unsafe { (*block).free });
    // SAFETY: as above.
    unsafe { (*block).free = watch };
    let value = match outcome {
        Ok(Ok(value)) => value,
        Ok(Err(HostAbort(code))) => {
            return Exit {
                value: code.into(),
                kind: EXIT_ABORTED,
            };
        }
        Err(payload) => {
            activation.panic.write(payload);
            return Exit {
                value: 0,
                kind: EXIT_PANICKED,
            };
        }
    };
    if watch.is_expired() {
        return Exit {
            value: 0,
            kind: EXIT_LATE,
        };
    }
    // The host function may have run another sandbox.
    // SAFETY: the block is this thread's.
    unsafe { load_gs(block, base, process.fsgsbase()) };
    Exit {
        value,
        kind: EXIT_RETURNED,
    }
}
