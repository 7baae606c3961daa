//! Counts the steps that verifying takes, so that tests can show that they are linear in the size
//! of what is verified.
//!
//! A step takes bounded time: a decoded instruction, or a byte, a relocation or an entry point
//! that is looked at. Outside of tests nothing is counted.

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Counts steps that were taken.
#[cfg(test)]
pub(super) fn spend(steps: usize) {
    STEPS.with(|counter| counter.set(counter.get() + steps as u64));
}

/// Counts steps that were taken.
#[cfg(not(test))]
#[inline(always)]
pub(super) fn spend(_steps: usize) {}

/// The steps that this thread has taken since it was last asked.
#[cfg(test)]
pub(super) fn take_steps() -> u64 {
    STEPS.take()
}
