//! One invocation: from the host's call to the graft's return, or to its end.

use std::mem::MaybeUninit;
use std::panic::{self, AssertUnwindSafe};
use std::ptr;

use vino_abi::STACK_END;

use super::entry::{
    ARGUMENTS_MAX, Activation, EXIT_ABORTED, EXIT_LATE, EXIT_PANICKED, EXIT_RETURNED, Exit,
};
use super::fault::{self, FaultKind, GraftFault};
use super::host::{GraftMemory, Host, HostAbort};
use super::instance::{Core, Entry};
use super::thread::{self, ThreadBlock};

/// Bytes left alone below the stack pointer of a graft that is called back: its red zone.
const RED_ZONE_BYTES: u64 = 128;
/// The alignment of a stack at a call.
const STACK_ALIGNMENT: u64 = 16;

/// Invokes a graft that is not running.
#[inline]
pub(super) fn call_fresh<H: Host>(
    core: &mut Core,
    entry: Entry,
    args: &[u64],
    host: &mut H,
) -> Result<u64, GraftFault> {
    let stack = core.base() + u64::from(STACK_END);
    run(core, stack, entry, args, host)
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
    run(core, stack, entry, args, host)
}

#[inline]
fn run<H: Host>(
    core: &mut Core,
    stack: u64,
    entry: Entry,
    args: &[u64],
    host: &mut H,
) -> Result<u64, GraftFault> {
    assert!(
        core.owns(entry),
        "an entry is called on the instance that it was looked up in"
    );
    let mut arguments = [0; ARGUMENTS_MAX];
    arguments[..args.len()].copy_from_slice(args);
    let process = core.process;
    let block = ThreadBlock::of_this_thread();
    // SAFETY: the block is this thread's.
    let mut watch = unsafe { (*block).watch };
    if watch.is_null() {
        watch = thread::prepare(process);
    }
    // SAFETY: the block is this thread's.
    let free = unsafe { (*block).free };
    if free == 0 {
        return Err(fault::refused(core, FaultKind::TooDeep, entry.offset()));
    }
    let watch_slot = free.trailing_zeros() as usize;
    // SAFETY: the thread is prepared: its watch lives until its thread-local destructors run.
    let watch = unsafe { &*watch };
    let slot = watch.slot(watch_slot);
    let base = core.base();
    let deadline_us = core.deadline_us;
    let mut activation = Activation {
        host_rsp: 0,
        graft_rsp: 0,
        return_stub: base + u64::from(super::gates::RETURN_STUB),
        dispatch: dispatch::<H>,
        arguments: [0; ARGUMENTS_MAX],
        base,
        watch_slot,
        core: ptr::from_mut(core),
        host: ptr::from_mut(host).cast(),
        panic: None,
        trap: MaybeUninit::uninit(),
    };
    // SAFETY: the block is this thread's.
    unsafe { (*block).free = free & (free - 1) };
    let sequence = slot.start(deadline_us);
    process.watchdog().notice_start();
    // SAFETY: the block is this thread's.
    unsafe { load_gs(block, base, process.fsgsbase()) };
    let entry_stub = base + u64::from(super::gates::ENTRY_STUB);
    let target = base + u64::from(entry.offset());
    let enter = process.routines().enter;
    // SAFETY: the activation is complete and outlives the call; the thread is prepared and %gs
    // base set, above; `target` is a verified entry of this instance, because `core.owns(entry)`;
    // `stack` is aligned and the gates' push lands in the sandbox or its guard.
    let exit = unsafe {
        enter(
            &raw mut activation,
            &raw const arguments,
            entry_stub,
            target,
            stack,
        )
    };
    slot.end(sequence);
    // SAFETY: the block is this thread's: an activation ends on the thread where it began.
    unsafe { (*block).free |= 1 << watch_slot };
    if exit.kind == EXIT_RETURNED {
        return Ok(exit.value);
    }
    Err(ended_early(core, &mut activation, exit))
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
    if let Some(payload) = activation.panic.take() {
        panic::resume_unwind(payload);
    }
    match exit.kind {
        EXIT_ABORTED => {
            let code = u32::try_from(exit.value).unwrap_or(u32::MAX);
            fault::stopped(core, activation, FaultKind::Aborted(code))
        }
        EXIT_LATE => fault::stopped(core, activation, FaultKind::Deadline),
        _ => {
            // SAFETY: what is left is EXIT_TRAPPED, which only the handler that fills the record
            // returns.
            let record = unsafe { activation.trap.assume_init_ref() };
            let deadline = record.signal == core.process.signals().deadline();
            fault::trapped(core, record, deadline)
        }
    }
}

/// Runs a host function of a host of type `H` for the graft of an activation.
///
/// # Safety
///
/// Called by `import` with the activation that `run::<H>` entered and that now waits.
unsafe extern "C" fn dispatch<H: Host>(activation: *mut Activation, import: u32) -> Exit {
    // SAFETY: the activation lives in the frame of `run`, which waits in `enter`.
    let activation = unsafe { &mut *activation };
    // SAFETY: `run::<H>` made the pointer from its exclusive borrow and does not use it meanwhile.
    let host = unsafe { &mut *activation.host.cast::<H>() };
    // SAFETY: as for the host.
    let core = unsafe { &mut *activation.core };
    let base = activation.base;
    let process = core.process;
    let mut memory = GraftMemory::new(core, activation.graft_rsp);
    let arguments = activation.arguments;
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
        host.call(&mut memory, import, &arguments)
    }));
    let value = match outcome {
        Ok(Ok(value)) => value,
        Ok(Err(HostAbort(code))) => {
            return Exit {
                value: code.into(),
                kind: EXIT_ABORTED,
            };
        }
        Err(payload) => {
            activation.panic = Some(payload);
            return Exit {
                value: 0,
                kind: EXIT_PANICKED,
            };
        }
    };
    let block = ThreadBlock::of_this_thread();
    // SAFETY: the block is this thread's.
    let watch = unsafe { (*block).watch };
    // SAFETY: the thread is prepared, since it runs an activation.
    let watch = unsafe { &*watch };
    if watch.slot(activation.watch_slot).is_expired() {
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
