//! What a forked process needs in order to run grafts: above all, a watchdog of its own.
//!
//! A fork copies the memory of the process and the thread that forks. The sandboxes, the thread's
//! block, its signal stack and its `%gs` base are copied as they are and stay right. What is wrong
//! in the child is the table of the [`watchdog`](super::watchdog): other threads are gone, the
//! watchdog among them, and the one that is left has another number and clock. Handlers registered
//! with the C library hold the table over the fork, so that it is whole, and set it right.

use std::cell::RefCell;
use std::io;
use std::sync::{Mutex, PoisonError};

use super::engine::process;
use super::sys;
use super::thread::ThreadBlock;
use super::watchdog::Held;

thread_local! {
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// Has every later fork of this process pass through the handlers; does so once.
pub(super) fn prepare_for_forks() -> io::Result<()> {
    static DONE: Mutex<bool> = Mutex::new(false);
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    if !*done {
        sys::at_fork(before, in_parent, in_child)?;
        *done = true;
    }
    Ok(())
}

extern "C" fn before() {
    let held = process().map(|process| process.watchdog().hold());
    HELD.set(held);
}

extern "C" fn in_parent() {
    drop(HELD.take());
}

extern "C" fn in_child() {
    let Some(held) = HELD.take() else { return };
    let block = ThreadBlock::of_this_thread();
    // SAFETY: the block is this thread's.
    held.keep_only(unsafe { (*block).watch });
}
