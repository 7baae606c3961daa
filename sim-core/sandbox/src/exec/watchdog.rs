//! Ends invocations that outlive their deadline, at the cost of a few stores per call.
//!
//! Each thread that runs grafts has *watch slots*, one for each nested invocation. An invocation
//! counts its slot's sequence number up when it starts, and says that it runs until it ends. One
//! watchdog thread per process looks at all slots once a millisecond; when it has seen the same
//! number run while the thread used as much processor time as the deadline allows, it marks the
//! number expired and signals the thread. Time counts on the thread's own clock, so that a machine
//! which is busy elsewhere does not make a graft late. The handler ends the graft if the thread
//! runs that graft's code at this moment; otherwise the watchdog tries again a tick later, and a
//! host function that returns to an expired invocation does not get there. A graft that is called
//! back has no time of its own: it is late when the invocation is late in which it waits.
//!
//! When nothing ran for [`IDLE_TICKS_MAX`] ticks the watchdog sleeps until the next entry. That
//! entry must see that the watchdog sleeps, or the watchdog must see that entry: the watchdog says
//! that it sleeps, makes every thread pass a barrier, and looks once more, so that entries need
//! none. A forked process has no watchdog; it seems asleep, and whoever wakes it starts another.

use std::ptr;
use std::sync::atomic::{
    AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicU64, Ordering, compiler_fence,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::error::EngineError;
use super::sys;

/// How often the watchdog looks: as late as this an invocation is first seen, and as late as this,
/// beside what waking up takes, it is ended. Half of the overshoot that is promised, 1 ms.
const TICK: Duration = Duration::from_micros(500);
/// Ticks without any invocation after which the watchdog sleeps.
const IDLE_TICKS_MAX: u32 = 40;
/// How deep invocations may nest on one thread: one watch slot each.
pub const NESTING_MAX: usize = 64;

/// What the watchdog knows of one invocation.
#[derive(Debug)]
pub(super) struct WatchSlot {
    /// Counts invocations; never the same number for two that ran.
    sequence: AtomicU64,
    /// The deadline of the invocation of that number while it runs, 0 when it is over.
    deadline_us: AtomicU32,
    /// Whether the invocation calls back a graft that waits in another, outer one.
    called_back: AtomicBool,
    /// The sequence number that outlived its deadline.
    expired: AtomicU64,
    /// The slot after this one in its thread's list of free slots.
    next: AtomicPtr<WatchSlot>,
}

impl WatchSlot {
    const fn new() -> Self {
        Self {
            sequence: AtomicU64::new(0),
            deadline_us: AtomicU32::new(0),
            called_back: AtomicBool::new(false),
            expired: AtomicU64::new(0),
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Starts an invocation; its deadline is not 0.
    #[inline(always)]
    pub(super) fn start(&self, deadline_us: u32) {
        // One thread counts, so this needs no locked instruction.
        let sequence = self.sequence.load(Ordering::Relaxed).wrapping_add(1);
        self.sequence.store(sequence, Ordering::Relaxed);
        self.deadline_us.store(deadline_us, Ordering::Release);
    }

    /// Says whether the invocations that follow call back a graft that waits.
    #[inline(always)]
    pub(super) fn set_called_back(&self, called_back: bool) {
        self.called_back.store(called_back, Ordering::Relaxed);
    }

    /// Ends the invocation.
    #[inline(always)]
    pub(super) fn end(&self) {
        self.deadline_us.store(0, Ordering::Release);
    }

    /// Returns whether the invocation that uses the slot outlived its deadline.
    #[inline(always)]
    pub(super) fn is_expired(&self) -> bool {
        self.expired.load(Ordering::Relaxed) == self.sequence.load(Ordering::Relaxed)
    }

    /// Returns whether the invocation of that number still runs.
    fn runs(&self, sequence: u64) -> bool {
        let running = self.deadline_us.load(Ordering::Acquire) != 0;
        running && self.sequence.load(Ordering::Relaxed) == sequence
    }

    /// Returns the slot after this one in the list of free slots.
    pub(super) fn next(&self) -> *const Self {
        self.next.load(Ordering::Relaxed)
    }

    /// Puts this slot in front of a list of free slots.
    pub(super) fn put_before(&self, next: *const Self) {
        self.next.store(next.cast_mut(), Ordering::Relaxed);
    }
}

/// The watch slots of one thread.
#[derive(Debug)]
pub(super) struct ThreadWatch {
    /// The thread's identifier, which is another in a forked process.
    thread: AtomicI32,
    /// The clock of the thread's processor time, likewise.
    clock: AtomicI32,
    /// Used from the first on: the invocation of a slot runs inside those of the slots before it.
    slots: [WatchSlot; NESTING_MAX],
}

impl ThreadWatch {
    pub(super) fn new(thread: libc::pid_t, clock: libc::clockid_t) -> Self {
        Self {
            thread: AtomicI32::new(thread),
            clock: AtomicI32::new(clock),
            slots: [const { WatchSlot::new() }; NESTING_MAX],
        }
    }

    /// Returns the list of all slots; none may be in use.
    pub(super) fn free_list(&self) -> *const WatchSlot {
        let add = |next, slot: &WatchSlot| {
            slot.put_before(next);
            ptr::from_ref(slot)
        };
        self.slots.iter().rev().fold(ptr::null(), add)
    }

    /// Returns how much processor time the thread used.
    fn used(&self) -> Duration {
        let clock = self.clock.load(Ordering::Relaxed);
        sys::read_thread_clock(clock).unwrap_or_default()
    }
}

impl Held {
    /// Forgets, in a process that was just forked, every thread but the one that forked.
    ///
    /// `watch` is that thread's, if it is prepared. What it runs starts its time anew, on the
    /// clock that it has here.
    pub(super) fn keep_only(mut self, watch: *const ThreadWatch) {
        let table = &mut *self.0;
        table.watchdog = None;
        table
            .threads
            .retain(|watched| ptr::eq(Arc::as_ptr(&watched.watch), watch));
        for watched in &mut table.threads {
            let clock = sys::thread_clock().expect("a thread has a clock of its own");
            watched
                .watch
                .thread
                .store(sys::thread_id(), Ordering::Relaxed);
            watched.watch.clock.store(clock, Ordering::Relaxed);
            watched.seen = [Seen::default(); NESTING_MAX];
        }
        LOST.store(true, Ordering::SeqCst);
        AWAKE.store(false, Ordering::SeqCst);
    }
}

/// A thread, and what the watchdog saw of it last.
struct Watched {
    watch: Arc<ThreadWatch>,
    seen: [Seen; NESTING_MAX],
}

/// The invocation that a slot held at the last look.
#[derive(Clone, Copy, Default)]
struct Seen {
    sequence: u64,
    /// What the thread's clock said when the invocation was first seen to run.
    since: Option<Duration>,
}

/// What one look at every slot found.
struct Round {
    /// Whether an invocation ran or had run since the last look.
    busy: bool,
    /// When the next known invocation reaches its deadline.
    next: Option<Instant>,
}

/// Whether the watchdog looks, or sleeps until an entry wakes it.
///
/// Not in [`Watchdog`], since every entry reads it and should not have to find it first.
static AWAKE: AtomicBool = AtomicBool::new(true);

/// Whether a fork left this process without its watchdog; the next entry starts another.
static LOST: AtomicBool = AtomicBool::new(false);

/// The threads that run grafts, and the one that watches them.
struct Table {
    threads: Vec<Watched>,
    /// The watchdog's thread, once it runs.
    watchdog: Option<Thread>,
}

/// The table of a watchdog, locked from before a fork until after it.
pub(super) struct Held(MutexGuard<'static, Table>);

/// The thread that ends late invocations.
pub(super) struct Watchdog {
    table: Mutex<Table>,
    signal: libc::c_int,
}

impl Watchdog {
    pub(super) fn new(signal: libc::c_int) -> Self {
        Self {
            table: Mutex::new(Table {
                threads: Vec::new(),
                watchdog: None,
            }),
            signal,
        }
    }

    /// Starts the thread.
    pub(super) fn start(&'static self) -> Result<(), EngineError> {
        let can_sleep = sys::register_barrier();
        thread::Builder::new()
            .name("vino-watchdog".to_owned())
            .spawn(move || self.watch(can_sleep))
            .map_err(|source| EngineError::Watchdog { source })?;
        Ok(())
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // No operation under the lock leaves the table half changed.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the table, so that a fork copies it whole.
    pub(super) fn hold(&'static self) -> Held {
        Held(self.table())
    }

    /// Watches a thread from now on.
    pub(super) fn remember(&self, watch: &Arc<ThreadWatch>) {
        self.table().threads.push(Watched {
            watch: Arc::clone(watch),
            seen: [Seen::default(); NESTING_MAX],
        });
    }

    /// Stops watching a thread, which may end once this returns.
    pub(super) fn forget(&self, watch: &Arc<ThreadWatch>) {
        self.table()
            .threads
            .retain(|watched| !Arc::ptr_eq(&watched.watch, watch));
    }

    /// Makes sure that the watchdog sees an invocation that just started.
    #[inline(always)]
    pub(super) fn notice_start(&'static self) {
        // The start must be stored before the flag is read. The processor may still swap the two:
        // the watchdog's barrier makes up for that.
        compiler_fence(Ordering::SeqCst);
        if !AWAKE.load(Ordering::Relaxed) {
            self.wake();
        }
    }

    #[cold]
    fn wake(&'static self) {
        if LOST.swap(false, Ordering::SeqCst) {
            self.start()
                .expect("a forked process has room for a thread");
        }
        AWAKE.store(true, Ordering::SeqCst);
        if let Some(thread) = &self.table().watchdog {
            thread.unpark();
        }
    }

    fn watch(&self, can_sleep: bool) {
        // Before the first sleep, so that whoever finds the watchdog asleep finds its handle.
        self.table().watchdog = Some(thread::current());
        let mut idle_ticks = 0;
        loop {
            let now = Instant::now();
            let round = self.look(now);
            idle_ticks = if round.busy { 0 } else { idle_ticks + 1 };
            if can_sleep && idle_ticks >= IDLE_TICKS_MAX {
                self.sleep_until_started();
                idle_ticks = 0;
                continue;
            }
            let tick = now + TICK;
            let until = round.next.map_or(tick, |next| next.min(tick));
            thread::park_timeout(until.saturating_duration_since(Instant::now()));
        }
    }

    fn sleep_until_started(&self) {
        AWAKE.store(false, Ordering::SeqCst);
        // After the barrier, an entry is visible here or will find `awake` false.
        let sure = sys::barrier_all_threads();
        let running = self.table().threads.iter().any(|watched| {
            watched
                .watch
                .slots
                .iter()
                .any(|slot| slot.deadline_us.load(Ordering::SeqCst) != 0)
        });
        if running || !sure {
            AWAKE.store(true, Ordering::SeqCst);
        }
        while !AWAKE.load(Ordering::SeqCst) {
            thread::park();
        }
    }

    fn look(&self, now: Instant) -> Round {
        let mut round = Round {
            busy: false,
            next: None,
        };
        // Holding the lock keeps a thread from ending, and its number from being reused, while
        // it is signalled.
        for watched in &mut self.table().threads {
            if look_at(watched, now, &mut round) {
                // The thread cannot have ended: it would have been forgotten first. What else can
                // fail is the queue of signals being full, and the next tick tries again.
                let thread = watched.watch.thread.load(Ordering::Relaxed);
                drop(sys::signal_thread(thread, self.signal));
            }
        }
        round
    }
}

/// Looks at the slots of one thread; returns whether an invocation is past its deadline.
fn look_at(watched: &mut Watched, now: Instant, round: &mut Round) -> bool {
    // The outermost late invocation: its slot and number.
    let mut late: Option<(&WatchSlot, u64)> = None;
    // Read when an invocation runs: most looks at most threads need no clock.
    let mut used = None;
    for (slot, seen) in watched.watch.slots.iter().zip(&mut watched.seen) {
        // In this order: if one invocation ends and another starts in between, the number differs.
        let deadline_us = slot.deadline_us.load(Ordering::Acquire);
        let running = deadline_us != 0;
        let sequence = slot.sequence.load(Ordering::Acquire);
        let changed = sequence != seen.sequence;
        round.busy |= changed || running;
        seen.sequence = sequence;
        if changed || !running {
            // The number may be that of an invocation that was just starting: its time begins when
            // it is seen to run.
            seen.since = None;
        }
        if !running {
            continue;
        }
        let used = *used.get_or_insert_with(|| watched.watch.used());
        let since = *seen.since.get_or_insert(used);
        let deadline = Duration::from_micros(deadline_us.into());
        let left = (since + deadline).saturating_sub(used);
        // If the late one still runs now, this one was started inside it.
        let inside_late = slot.called_back.load(Ordering::Relaxed)
            && late.is_some_and(|(outer, number)| outer.runs(number));
        if left.is_zero() || inside_late {
            slot.expired.store(sequence, Ordering::Relaxed);
            late = late.or(Some((slot, sequence)));
        } else {
            let due = now + left;
            round.next = Some(round.next.map_or(due, |next| next.min(due)));
        }
    }
    late.is_some()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;
    use std::time::{Duration, Instant};

    use super::{NESTING_MAX, Round, Seen, ThreadWatch, Watched, look_at};
    use crate::exec::sys;

    const DEADLINE_US: u32 = 2000;

    fn watched() -> Watched {
        let clock = sys::thread_clock().expect("a thread has a clock");
        Watched {
            watch: Arc::new(ThreadWatch::new(sys::thread_id(), clock)),
            seen: [Seen::default(); NESTING_MAX],
        }
    }

    fn is_late(watched: &mut Watched) -> bool {
        let mut round = Round {
            busy: false,
            next: None,
        };
        look_at(watched, Instant::now(), &mut round)
    }

    /// Uses more processor time than the deadline allows.
    fn burn(watched: &Watched) {
        let used = || watched.watch.used();
        let end = used() + Duration::from_micros((2 * DEADLINE_US).into());
        while used() < end {}
    }

    /// The watchdog may look between the two stores of a start, or start to look before them.
    #[test]
    fn an_invocation_that_is_seen_as_it_starts_has_its_whole_deadline() {
        let mut watched = watched();
        let watch = Arc::clone(&watched.watch);
        let slot = &watch.slots[0];
        slot.start(DEADLINE_US);
        assert!(!is_late(&mut watched));
        slot.end();
        burn(&watched);
        slot.sequence.fetch_add(1, Ordering::Relaxed);
        assert!(!is_late(&mut watched));
        slot.deadline_us.store(DEADLINE_US, Ordering::Relaxed);
        assert!(!is_late(&mut watched), "it has only been running since now");
        burn(&watched);
        assert!(is_late(&mut watched));
        assert!(slot.is_expired());
    }

    #[test]
    fn only_what_is_called_back_by_a_late_invocation_is_late_with_it() {
        let mut watched = watched();
        let watch = Arc::clone(&watched.watch);
        let [outer, late, other, back] = [0, 1, 2, 3].map(|index| &watch.slots[index]);
        outer.start(u32::MAX);
        late.start(DEADLINE_US);
        assert!(!is_late(&mut watched));
        burn(&watched);
        other.start(u32::MAX);
        back.set_called_back(true);
        back.start(u32::MAX);
        assert!(is_late(&mut watched));
        let expired = [outer, late, other, back].map(|slot| slot.is_expired());
        assert_eq!(expired, [false, true, false, true]);
    }
}
