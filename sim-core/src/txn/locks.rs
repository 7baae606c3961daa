//! Locks: shared or exclusive, waited for in the order of arrival, with a time-out for each class.
//!
//! ```text
//!            request            admitted                 transaction ends
//!   thread ----------> granted <---------- queue          (or a part of it is aborted)
//!                |                           ^                      |
//!                `--- a conflicting holder, --'                     v
//!                     or somebody waits                   put back, next are granted
//! ```
//!
//! The table knows threads, not transactions: the transactions of one thread are nested in each
//! other, so a child may use what its ancestors hold, and what an acquisition replaced is all that
//! undoing it needs. [`Transactions`](super::Transactions) keeps those and decides who is aborted.
//!
//! # Rules
//!
//! * Any number of threads hold a lock shared, or one holds it exclusively. Asking for what one
//!   already holds, or for less, changes nothing.
//! * A newcomer passes nobody who waits, so nobody starves.
//! * A shared holder that wants the lock exclusively waits before all newcomers, since they could
//!   not have it before that one's transaction ends. Two such holders wait for each other: a
//!   deadlock, which ends like any other.
//! * A holder is overdue once it has held the lock, and a thread in conflict with it has waited,
//!   for the time-out of the lock's class. It is not overdue otherwise, however long it holds.
//!
//! The last rule resolves every deadlock within the longest time-out of its locks: each thread of a
//! cycle holds a lock that another waits for, so one of them is overdue by then. It also bounds
//! each wait, by one time-out for each thread that holds the lock or stands before in the queue.
use std::collections::{BTreeSet, VecDeque};

use crate::ids::{LockId, ThreadId, Tick, Ticks};

/// The most locks of one kernel.
pub(crate) const LOCKS_MAX: usize = 1 << 16;

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum LockMode {
    /// To read, together with other readers.
    Shared,
    /// To write, alone.
    Exclusive,
}

impl LockMode {
    fn conflicts(self, other: LockMode) -> bool {
        self == LockMode::Exclusive || other == LockMode::Exclusive
    }
}

/// What came of asking for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// The thread held it already, at least as strongly.
    Held,
    /// It holds it now, and held it so before.
    Granted { previous: Option<LockMode> },
    /// It waits.
    Waits,
}

/// A lock that a waiting thread has now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) thread: ThreadId,
    pub(crate) lock: LockId,
    /// How it held the lock before.
    pub(crate) previous: Option<LockMode>,
}

/// A thread that held a lock for too long while another waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overdue {
    pub(crate) holder: ThreadId,
    pub(crate) lock: LockId,
    /// What the thread wants that waits.
    pub(crate) wanted: LockMode,
    /// When the holder became overdue.
    pub(crate) at: Tick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Hold {
    thread: ThreadId,
    mode: LockMode,
    since: Tick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Waiter {
    thread: ThreadId,
    mode: LockMode,
    since: Tick,
}

/// One lock: who has it, and who waits for it.
#[derive(Clone, Debug)]
struct Lock {
    timeout: Ticks,
    /// In the order of acquisition.
    holders: Vec<Hold>,
    /// Holders that want more, then newcomers, each in the order of arrival.
    queue: VecDeque<Waiter>,
}

impl Lock {
    #[inline]
    fn mode_of(&self, thread: ThreadId) -> Option<LockMode> {
        let hold = self.holders.iter().find(|hold| hold.thread == thread);
        hold.map(|hold| hold.mode)
    }

    fn admits(&self, thread: ThreadId, mode: LockMode) -> bool {
        let others = self.holders.iter().filter(|hold| hold.thread != thread);
        others.into_iter().all(|hold| !hold.mode.conflicts(mode))
    }

    fn hold(&mut self, thread: ThreadId, mode: LockMode, since: Tick) {
        match self.holders.iter_mut().find(|hold| hold.thread == thread) {
            // Wanting more does not make the lock newer to those who wait.
            Some(hold) => hold.mode = mode,
            None => self.holders.push(Hold {
                thread,
                mode,
                since,
            }),
        }
    }

    fn wait(&mut self, waiter: Waiter) {
        let is_holder = |it: &Waiter| self.mode_of(it.thread).is_some();
        let at = match is_holder(&waiter) {
            true => self.queue.iter().take_while(|it| is_holder(it)).count(),
            false => self.queue.len(),
        };
        self.queue.insert(at, waiter);
    }

    /// When a holder is overdue, and for whom; `None` if nobody waits because of it.
    fn overdue_of(&self, hold: &Hold) -> Option<(Tick, LockMode)> {
        let blocks = |it: &&Waiter| it.thread != hold.thread && it.mode.conflicts(hold.mode);
        let first = self.queue.iter().filter(blocks).min_by_key(|it| it.since)?;
        let contended = first.since.max(hold.since);
        Some((contended.after(self.timeout), first.mode))
    }
}

/// The locks of a kernel.
#[derive(Clone, Debug, Default)]
pub(crate) struct LockTable {
    locks: Vec<Lock>,
    /// Numbers of the locks for which somebody waits.
    contended: BTreeSet<u32>,
}

impl LockTable {
    /// Makes a lock of a class with that time-out; `None` if there are too many.
    pub(crate) fn define(&mut self, timeout: Ticks) -> Option<LockId> {
        if self.locks.len() == LOCKS_MAX {
            return None;
        }
        let number = u32::try_from(self.locks.len()).expect("LOCKS_MAX fits u32");
        self.locks.push(Lock {
            timeout,
            holders: Vec::new(),
            queue: VecDeque::new(),
        });
        Some(LockId(number))
    }

    /// Asks for a lock; a thread that waits asks for nothing else until it is granted.
    #[inline]
    pub(crate) fn request(
        &mut self,
        thread: ThreadId,
        id: LockId,
        mode: LockMode,
        now: Tick,
    ) -> Request {
        let lock = &mut self.locks[id.index()];
        let previous = lock.mode_of(thread);
        if previous >= Some(mode) {
            return Request::Held;
        }
        if (previous.is_some() || lock.queue.is_empty()) && lock.admits(thread, mode) {
            lock.hold(thread, mode, now);
            return Request::Granted { previous };
        }
        lock.wait(Waiter {
            thread,
            mode,
            since: now,
        });
        self.contended.insert(id.0);
        Request::Waits
    }

    /// Takes an acquisition back; whoever can have the lock then gets it.
    #[inline]
    pub(crate) fn put_back(
        &mut self,
        thread: ThreadId,
        id: LockId,
        previous: Option<LockMode>,
        now: Tick,
        grants: &mut Vec<Grant>,
    ) {
        let lock = &mut self.locks[id.index()];
        let at = lock.holders.iter().position(|hold| hold.thread == thread);
        let at = at.expect("an acquisition is put back by its holder");
        match previous {
            Some(mode) => lock.holders[at].mode = mode,
            None => {
                lock.holders.remove(at);
            }
        }
        if !lock.queue.is_empty() {
            self.grant(id, now, grants);
        }
    }

    /// Takes a waiting thread out of the queue.
    pub(crate) fn give_up(
        &mut self,
        thread: ThreadId,
        id: LockId,
        now: Tick,
        grants: &mut Vec<Grant>,
    ) {
        let queue = &mut self.locks[id.index()].queue;
        queue.retain(|waiter| waiter.thread != thread);
        self.grant(id, now, grants);
    }

    fn grant(&mut self, id: LockId, now: Tick, grants: &mut Vec<Grant>) {
        let lock = &mut self.locks[id.index()];
        while let Some(&Waiter { thread, mode, .. }) = lock.queue.front()
            && lock.admits(thread, mode)
        {
            lock.queue.pop_front();
            let previous = lock.mode_of(thread);
            lock.hold(thread, mode, now);
            grants.push(Grant {
                thread,
                lock: id,
                previous,
            });
        }
        if lock.queue.is_empty() {
            self.contended.remove(&id.0);
        }
    }

    /// The holder that is overdue first, if nothing is released before that.
    pub(crate) fn first_overdue(&self) -> Option<Overdue> {
        let mut first: Option<Overdue> = None;
        for &number in &self.contended {
            let lock = &self.locks[number as usize];
            for hold in &lock.holders {
                let Some((at, wanted)) = lock.overdue_of(hold) else {
                    continue;
                };
                if first.is_none_or(|first| at < first.at) {
                    first = Some(Overdue {
                        holder: hold.thread,
                        lock: LockId(number),
                        wanted,
                        at,
                    });
                }
            }
        }
        first
    }

    /// How a thread holds a lock.
    pub(crate) fn mode_of(&self, thread: ThreadId, id: LockId) -> Option<LockMode> {
        self.locks[id.index()].mode_of(thread)
    }

    /// Describes holders and waiters, with their ages as far as they matter for time-outs.
    #[cfg(test)]
    pub(crate) fn describe(&self, now: Tick, into: &mut Vec<u8>) {
        let small = |number: u64| u8::try_from(number).expect("tests have small numbers");
        for lock in &self.locks {
            let age = |since: Tick| now.0 - since.0;
            // A hold is as old as the oldest wait at most: what was before delays nobody.
            let oldest = lock.queue.iter().map(|it| age(it.since)).max();
            let holders = lock.holders.iter().map(|it| (it.thread, it.mode, it.since));
            for (thread, mode, since) in holders {
                let age = age(since).min(oldest.unwrap_or(0));
                into.extend([small(thread.0.into()), mode as u8, small(age)]);
            }
            into.push(0xff);
            for waiter in &lock.queue {
                let thread = small(waiter.thread.0.into());
                into.extend([thread, waiter.mode as u8, small(age(waiter.since))]);
            }
            into.push(0xff);
        }
    }

    /// Whether nobody holds any lock or waits for one.
    pub(crate) fn is_idle(&self) -> bool {
        let idle = |lock: &Lock| lock.holders.is_empty() && lock.queue.is_empty();
        self.locks.iter().all(idle)
    }
}
