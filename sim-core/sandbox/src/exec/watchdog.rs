//! Ends invocations that outlive their deadline, at no cost per call but two stores.
//!
//! Each thread that runs grafts has *watch slots*, one for each nested invocation. An invocation
//! counts its slot's sequence number up when it starts (odd: running) and when it ends (even). One
//! watchdog thread per process looks at all slots once a millisecond; when it has seen the same odd
//! number for as long as the deadline, it marks the number expired and signals the thread. The
//! handler ends the graft if the thread runs that graft's code at this moment; otherwise the
//! watchdog tries again a tick later, and a host function that returns to an expired invocation
//! does not get there.
//!
//! When nothing ran for [`IDLE_TICKS_MAX`] ticks the watchdog sleeps until the next entry. That
//! entry must see that the watchdog sleeps, or the watchdog must see that entry: the watchdog says
//! that it sleeps, makes every thread pass a barrier, and looks once more, so that entries need
//! none.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, compiler_fence};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::error::EngineError;
use super::sys;

/// How often the watchdog looks.
const TICK: Duration = Duration::from_millis(1);
/// Ticks without any invocation after which the watchdog sleeps.
const IDLE_TICKS_MAX: u32 = 20;
/// How deep invocations may nest on one thread: one watch slot each.
pub const NESTING_MAX: usize = 64;

/// What the watchdog knows of one invocation.
#[derive(Debug, Default)]
pub(super) struct WatchSlot {
    /// Odd while an invocation runs; never the same number for two invocations.
    sequence: AtomicU64,
    /// The sequence number that outlived its deadline.
    expired: AtomicU64,
    deadline_us: AtomicU32,
}

impl WatchSlot {
    /// Starts an invocation and returns its sequence number.
    #[inline(always)]
    pub(super) fn start(&self, deadline_us: u32) -> u64 {
        let sequence = self.sequence.load(Ordering::Relaxed).wrapping_add(1);
        self.deadline_us.store(deadline_us, Ordering::Relaxed);
        self.sequence.store(sequence, Ordering::Release);
        sequence
    }

    /// Ends the invocation that `start` numbered.
    #[inline(always)]
    pub(super) fn end(&self, sequence: u64) {
        self.sequence
            .store(sequence.wrapping_add(1), Ordering::Release);
    }

    /// Returns whether the invocation that uses the slot outlived its deadline.
    #[inline(always)]
    pub(super) fn is_expired(&self) -> bool {
        self.expired.load(Ordering::Relaxed) == self.sequence.load(Ordering::Relaxed)
    }

    fn running(&self) -> Option<u64> {
        let sequence = self.sequence.load(Ordering::Acquire);
        (sequence % 2 == 1).then_some(sequence)
    }
}

/// The watch slots of one thread.
#[derive(Debug)]
pub(super) struct ThreadWatch {
    thread: libc::pid_t,
    /// Slots from here on were never used.
    used: AtomicU32,
    slots: [WatchSlot; NESTING_MAX],
}

impl ThreadWatch {
    pub(super) fn new(thread: libc::pid_t) -> Self {
        Self {
            thread,
            used: AtomicU32::new(0),
            slots: std::array::from_fn(|_| WatchSlot::default()),
        }
    }

    /// Returns a slot of the calling thread, and makes the watchdog look at it.
    #[inline(always)]
    pub(super) fn slot(&self, index: usize) -> &WatchSlot {
        let slot = &self.slots[index % NESTING_MAX];
        if index >= self.used.load(Ordering::Relaxed) as usize {
            self.use_up_to(index);
        }
        slot
    }

    #[cold]
    fn use_up_to(&self, index: usize) {
        let count = u32::try_from(index % NESTING_MAX).map_or(0, |index| index + 1);
        self.used.store(count, Ordering::Release);
    }
}

/// A thread, and what the watchdog saw of it last.
struct Watched {
    watch: Arc<ThreadWatch>,
    seen: Vec<Seen>,
}

#[derive(Clone, Copy)]
struct Seen {
    sequence: u64,
    since: Instant,
}

/// What one look at every slot found.
struct Round {
    /// Whether an invocation ran or had run since the last look.
    busy: bool,
    /// When the next known invocation reaches its deadline.
    next: Option<Instant>,
}

/// The thread that ends late invocations.
pub(super) struct Watchdog {
    awake: AtomicBool,
    threads: Mutex<Vec<Watched>>,
    handle: OnceLock<Thread>,
    signal: libc::c_int,
}

impl Watchdog {
    pub(super) fn new(signal: libc::c_int) -> Self {
        Self {
            awake: AtomicBool::new(true),
            threads: Mutex::new(Vec::new()),
            handle: OnceLock::new(),
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

    fn threads(&self) -> MutexGuard<'_, Vec<Watched>> {
        // No operation under the lock leaves the table half changed.
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches a thread from now on.
    pub(super) fn remember(&self, watch: &Arc<ThreadWatch>) {
        self.threads().push(Watched {
            watch: Arc::clone(watch),
            seen: Vec::new(),
        });
    }

    /// Stops watching a thread, which may end once this returns.
    pub(super) fn forget(&self, watch: &Arc<ThreadWatch>) {
        self.threads()
            .retain(|watched| !Arc::ptr_eq(&watched.watch, watch));
    }

    /// Makes sure that the watchdog sees an invocation that just started.
    #[inline(always)]
    pub(super) fn notice_start(&self) {
        // The start must be stored before the flag is read. The processor may still swap the two:
        // the watchdog's barrier makes up for that.
        compiler_fence(Ordering::SeqCst);
        if !self.awake.load(Ordering::Relaxed) {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        self.awake.store(true, Ordering::SeqCst);
        if let Some(thread) = self.handle.get() {
            thread.unpark();
        }
    }

    fn watch(&self, can_sleep: bool) {
        // Before the first sleep, so that whoever finds the watchdog asleep finds its handle.
        self.handle.get_or_init(thread::current);
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
        self.awake.store(false, Ordering::SeqCst);
        // After the barrier, an entry is visible here or will find `awake` false.
        let sure = sys::barrier_all_threads();
        let running = self.threads().iter().any(|watched| {
            watched
                .watch
                .slots
                .iter()
                .any(|slot| slot.running().is_some())
        });
        if running || !sure {
            self.awake.store(true, Ordering::SeqCst);
        }
        while !self.awake.load(Ordering::SeqCst) {
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
        for watched in self.threads().iter_mut() {
            let used = watched.watch.used.load(Ordering::Acquire) as usize;
            let unseen = Seen {
                sequence: 0,
                since: now,
            };
            watched.seen.resize(used, unseen);
            let slots = watched.watch.slots.iter().zip(&mut watched.seen);
            let mut late = false;
            for (slot, seen) in slots {
                late |= look_at(slot, seen, now, &mut round);
            }
            if late {
                // The thread cannot have ended: it would have been forgotten first. What else can
                // fail is the queue of signals being full, and the next tick tries again.
                drop(sys::signal_thread(watched.watch.thread, self.signal));
            }
        }
        round
    }
}

/// Looks at one slot; returns whether its invocation is past its deadline.
fn look_at(slot: &WatchSlot, seen: &mut Seen, now: Instant, round: &mut Round) -> bool {
    let sequence = slot.sequence.load(Ordering::Acquire);
    let changed = sequence != seen.sequence;
    if changed {
        *seen = Seen {
            sequence,
            since: now,
        };
    }
    let running = sequence % 2 == 1;
    round.busy |= changed || running;
    if !running {
        return false;
    }
    let deadline = Duration::from_micros(slot.deadline_us.load(Ordering::Relaxed).into());
    let due = seen.since + deadline;
    if now < due {
        round.next = Some(round.next.map_or(due, |next| next.min(due)));
        return false;
    }
    slot.expired.store(sequence, Ordering::Relaxed);
    true
}
