//! Transactions: every invocation of a graft is one, so that any of them can be undone.
//!
//! ```text
//!            .--> log_undo, then change      log_commit      lock
//!            |                 |                  |            |
//!   begin ---+-----------------+------------------+------------+---.
//!                                                                  |
//!        .---------------------------------------------------------+
//!        v                              v                          v
//!   abort                        commit of a child          outermost commit
//!   undo, newest first           its records and locks      acts are carried out, oldest first
//!   acts are forgotten           become its parent's        end: locks are put back
//!   locks are put back
//! ```
//!
//! A change that can be undone is made at once, after its record was pushed. An act that cannot be
//! undone is pushed as a record and carried out when the outermost transaction commits (VINO manual
//! 3.2). The records are the user's: `U` undoes a change, `C` is an act.
//!
//! # Nesting
//!
//! Each thread has a stack of open transactions. A child shares its parent's logs from a mark on,
//! so a child's commit is forgetting the mark, which leaves the records to the parent, and a
//! child's abort is unwinding to it. Its parent lives on. The same holds for locks: what a
//! transaction acquired is a log too, and a child uses what its ancestors hold. The
//! undo log is bounded by what each transaction changes itself: a child that changes much costs its
//! parent nothing, and a parent cannot make its child fail.
//!
//! # Locks
//!
//! Locking is two-phase: nothing is put back before the transaction ends, and what a child
//! acquired is kept by its parent. A thread whose lock is overdue ([`locks`] says when) loses the
//! transactions down to the one that acquired it, whatever it is doing, so that the waiting thread
//! goes on at once; it learns about it when it runs next ([`Transactions::take_lost`]).
//!
//! The kernel has one thread so far, in which nobody waits: locks are taken and put back, and what
//! happens when they are contended is exercised by the tests of this module.
#![cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the kernel's one thread never waits; the tests' threads do"
    )
)]
use crate::ids::{LockId, ThreadId, Tick, Ticks, TxnId};
use crate::vm::Restoration;

#[cfg(test)]
mod exhaustive;
pub(crate) mod locks;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod twin;

pub(crate) use locks::LockMode;
use locks::{Grant, LockTable, Overdue, Request};

/// The most transactions of one thread that may be open in each other.
pub(crate) const NESTING_MAX: usize = 8;
/// The most commit records that one transaction may hold, those of its children included.
pub(crate) const COMMIT_RECORDS_MAX: usize = 64;
/// The most locks that the transactions of one thread may hold together.
pub(crate) const LOCKS_HELD_MAX: usize = 64;

/// What the locks of a kernel protect; each class has a time-out of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LockClass {
    /// The page list of an address space. Evictions wait for it, so it is short.
    PageList,
}

impl LockClass {
    /// How long a lock of this class may be held while another thread waits for it.
    pub(crate) const fn timeout(self) -> Ticks {
        match self {
            LockClass::PageList => PAGE_LIST_TIMEOUT_TICKS,
        }
    }
}

/// The time-out of [`LockClass::PageList`].
const PAGE_LIST_TIMEOUT_TICKS: Ticks = Ticks(1 << 10);

/// A log that a transaction filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogFull;

/// A thread that holds as many locks as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooManyLocks;

/// What came of asking for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Locking {
    /// The thread holds it.
    Held,
    /// The thread must not run until [`Transactions::take_woken`] names it.
    Waits,
}

/// An open transaction.
#[derive(Clone, Copy, Debug)]
struct Open {
    id: TxnId,
    undo_mark: usize,
    commit_mark: usize,
    lock_mark: usize,
    /// Undo records of its own, those that children left excepted.
    own_undo: usize,
    /// Transactions that began directly inside it.
    children: u32,
    restoration: Restoration,
}

/// A lock that a transaction took, and how its thread held it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Acquisition {
    lock: LockId,
    mode: LockMode,
    previous: Option<LockMode>,
}

/// What a committed transaction left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Committed {
    pub(crate) id: TxnId,
    /// The transaction that its records were left to.
    pub(crate) parent: Option<TxnId>,
    pub(crate) undo_records: u32,
    pub(crate) commit_records: u32,
    ending: Ending,
}

/// An outermost transaction that committed and whose acts are being carried out.
///
/// Acts may run transactions of their own; these begin behind its marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ending {
    next_act: usize,
    commit_mark: usize,
    lock_mark: usize,
}

/// What an aborted transaction left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Aborted {
    pub(crate) id: TxnId,
    /// The transaction in which it ran, which lives on.
    pub(crate) parent: Option<TxnId>,
    /// How many transactions began directly inside it.
    pub(crate) children: u32,
    pub(crate) undo_records: u32,
    pub(crate) state_restored: bool,
}

/// A thread that lost transactions because it held a lock for too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TimedOut {
    pub(crate) thread: ThreadId,
    pub(crate) lock: LockId,
    /// What it lost, innermost first.
    pub(crate) aborted: Vec<Aborted>,
}

/// The transactions of one thread: nested in each other, so their logs are stacks.
#[derive(Clone, Debug)]
struct Family<U, C> {
    open: Vec<Open>,
    undo: Vec<U>,
    commit: Vec<C>,
    acquired: Vec<Acquisition>,
    waits_for: Option<LockId>,
    /// Transactions that a time-out took from the thread while it did not run.
    lost: usize,
}

impl<U, C> Default for Family<U, C> {
    fn default() -> Family<U, C> {
        Family {
            open: Vec::new(),
            undo: Vec::new(),
            commit: Vec::new(),
            acquired: Vec::new(),
            waits_for: None,
            lost: 0,
        }
    }
}

impl<U, C> Family<U, C> {
    fn is_idle(&self) -> bool {
        self.open.is_empty()
            && self.undo.is_empty()
            && self.commit.is_empty()
            && self.acquired.is_empty()
            && self.waits_for.is_none()
    }

    fn innermost(&self) -> &Open {
        self.open.last().expect("a transaction is open")
    }

    /// The depth of the transaction whose abort makes room for a waiting thread.
    fn depth_of(&self, overdue: &Overdue) -> usize {
        let makes_room = |it: &Acquisition| {
            let left = it.previous;
            it.lock == overdue.lock
                && (left.is_none()
                    || overdue.wanted == LockMode::Shared && it.mode == LockMode::Exclusive)
        };
        let at = self.acquired.iter().rposition(makes_room);
        let at = at.expect("an overdue holder acquired the lock");
        let owner = self.open.iter().rposition(|open| open.lock_mark <= at);
        owner.expect("every acquisition is a transaction's")
    }
}

/// The transactions of a kernel, their logs and their locks.
#[derive(Clone, Debug)]
pub(crate) struct Transactions<U, C> {
    next: u64,
    undo_records_max: usize,
    /// The thread that runs, and its transactions.
    thread: ThreadId,
    running: Family<U, C>,
    /// The transactions of all threads; those of the one that runs are empty here.
    parked: Vec<Family<U, C>>,
    locks: LockTable,
    /// Threads that got the lock for which they waited, in that order.
    woken: Vec<ThreadId>,
    grants: Vec<Grant>,
}

impl<U, C: Copy> Transactions<U, C> {
    /// Makes the logs; `undo_records_max` bounds each transaction.
    pub(crate) fn new(threads: u32, undo_records_max: u32) -> Transactions<U, C> {
        let undo_records_max = undo_records_max as usize;
        Transactions {
            next: 1,
            undo_records_max,
            thread: ThreadId(0),
            running: Family {
                open: Vec::with_capacity(NESTING_MAX),
                undo: Vec::with_capacity(undo_records_max),
                commit: Vec::with_capacity(COMMIT_RECORDS_MAX),
                acquired: Vec::with_capacity(LOCKS_HELD_MAX),
                ..Family::default()
            },
            parked: (0..threads).map(|_| Family::default()).collect(),
            locks: LockTable::default(),
            woken: Vec::new(),
            grants: Vec::new(),
        }
    }

    /// The transaction that begins next.
    #[inline]
    pub(crate) fn next_id(&self) -> TxnId {
        TxnId::new(self.next).expect("numbers start at 1 and do not wrap in 2^64 invocations")
    }

    /// The innermost open transaction of the running thread.
    #[inline]
    pub(crate) fn current(&self) -> Option<TxnId> {
        self.running.open.last().map(|open| open.id)
    }

    /// Whether the running thread may begin another transaction.
    #[inline]
    pub(crate) fn may_begin(&self) -> bool {
        self.running.open.len() < NESTING_MAX
    }

    /// Begins a transaction inside the one that is open, if there is one.
    ///
    /// # Panics
    ///
    /// [`NESTING_MAX`] transactions are open; whoever nests asks [`Transactions::may_begin`].
    #[inline]
    pub(crate) fn begin(&mut self) -> TxnId {
        assert!(self.may_begin(), "nesting is bounded");
        let id = self.next_id();
        self.next += 1;
        let family = &mut self.running;
        if let Some(parent) = family.open.last_mut() {
            parent.children += 1;
        }
        family.open.push(Open {
            id,
            undo_mark: family.undo.len(),
            commit_mark: family.commit.len(),
            lock_mark: family.acquired.len(),
            own_undo: 0,
            children: 0,
            restoration: Restoration::default(),
        });
        id
    }

    /// Pushes what undoes the change that the caller is about to make.
    #[inline]
    pub(crate) fn log_undo(&mut self, record: U) -> Result<(), LogFull> {
        if !self.has_room_for_changes(1) {
            return Err(LogFull);
        }
        self.innermost().own_undo += 1;
        self.running.undo.push(record);
        Ok(())
    }

    /// Whether the innermost transaction may make so many more changes.
    #[inline]
    pub(crate) fn has_room_for_changes(&self, changes: usize) -> bool {
        self.running.innermost().own_undo + changes <= self.undo_records_max
    }

    /// Pushes an act that the commit carries out.
    #[inline]
    pub(crate) fn log_commit(&mut self, record: C) -> Result<(), LogFull> {
        if !self.has_room_for_acts(1) {
            return Err(LogFull);
        }
        self.running.commit.push(record);
        Ok(())
    }

    /// Whether the innermost transaction may push so many more acts.
    #[inline]
    pub(crate) fn has_room_for_acts(&self, acts: usize) -> bool {
        let family = &self.running;
        family.commit.len() - family.innermost().commit_mark + acts <= COMMIT_RECORDS_MAX
    }

    /// The watch to which changes inside the innermost transaction are reported.
    ///
    /// # Panics
    ///
    /// No transaction is open; graft-callable functions run inside one.
    #[inline]
    pub(crate) fn watch(&mut self) -> &mut Restoration {
        &mut self.innermost().restoration
    }

    #[inline]
    fn innermost(&mut self) -> &mut Open {
        let open = self.running.open.last_mut();
        open.expect("a transaction is open")
    }

    /// How many transactions began directly inside the innermost one.
    pub(crate) fn children(&self) -> u32 {
        self.running.innermost().children
    }

    /// Commits the innermost transaction.
    ///
    /// A child's records and locks become its parent's. If it was the outermost, the caller carries
    /// out each [`Transactions::next_act`] and then calls [`Transactions::end`].
    #[inline]
    pub(crate) fn commit(&mut self) -> Committed {
        let family = &mut self.running;
        let open = family.open.pop().expect("a transaction is open");
        let mut committed = Committed {
            id: open.id,
            parent: None,
            undo_records: count(family.undo.len() - open.undo_mark),
            commit_records: count(family.commit.len() - open.commit_mark),
            ending: Ending {
                next_act: open.commit_mark,
                commit_mark: open.commit_mark,
                lock_mark: open.lock_mark,
            },
        };
        match family.open.last_mut() {
            Some(parent) => {
                parent.restoration.merge(open.restoration);
                committed.parent = Some(parent.id);
            }
            None => family.undo.clear(),
        }
        committed
    }

    /// Takes the next act of an outermost transaction that committed, oldest first.
    #[inline]
    pub(crate) fn next_act(&mut self, committed: &mut Committed) -> Option<C> {
        let acts = &self.running.commit;
        let act = acts
            .get(committed.ending.next_act)
            .filter(|_| committed.parent.is_none())?;
        committed.ending.next_act += 1;
        Some(*act)
    }

    /// Ends an outermost transaction whose acts were carried out: its locks are put back.
    #[inline]
    pub(crate) fn end(&mut self, committed: &Committed, now: Tick) {
        let Ending {
            commit_mark,
            lock_mark,
            ..
        } = committed.ending;
        assert!(self.running.open.is_empty(), "a transaction is open");
        self.running.commit.truncate(commit_mark);
        if self.running.acquired.len() > lock_mark {
            self.put_back(self.thread, lock_mark, now);
        }
    }

    /// Aborts the innermost transaction: undoes its changes, newest first, forgets its acts and
    /// puts back its locks.
    pub(crate) fn abort(&mut self, now: Tick, undo: impl FnMut(U, &mut Restoration)) -> Aborted {
        self.abort_of(self.thread, now, undo)
    }

    fn abort_of(
        &mut self,
        thread: ThreadId,
        now: Tick,
        mut undo: impl FnMut(U, &mut Restoration),
    ) -> Aborted {
        self.give_up_waiting(thread, now);
        let family = self.family_mut(thread);
        let mut open = family.open.pop().expect("a transaction is open");
        let undo_records = count(family.undo.len() - open.undo_mark);
        for record in family.undo.drain(open.undo_mark..).rev() {
            undo(record, &mut open.restoration);
        }
        family.commit.truncate(open.commit_mark);
        let parent = family.open.last().map(|parent| parent.id);
        self.put_back(thread, open.lock_mark, now);
        Aborted {
            id: open.id,
            parent,
            children: open.children,
            undo_records,
            state_restored: open.restoration.is_complete(),
        }
    }

    /// Whether no transaction is open, no record is left and no lock is held.
    pub(crate) fn is_idle(&self) -> bool {
        self.running.is_idle() && self.parked.iter().all(Family::is_idle) && self.locks.is_idle()
    }
}

/// Locks and the threads that want them.
impl<U, C: Copy> Transactions<U, C> {
    /// Makes a lock; `None` if there are too many.
    pub(crate) fn define_lock(&mut self, timeout: Ticks) -> Option<LockId> {
        self.locks.define(timeout)
    }

    /// Takes a lock for the innermost transaction of the running thread, or waits for it.
    ///
    /// # Errors
    ///
    /// The thread holds [`LOCKS_HELD_MAX`] locks.
    ///
    /// # Panics
    ///
    /// No transaction is open, or the thread waits already.
    #[inline]
    pub(crate) fn lock(
        &mut self,
        lock: LockId,
        mode: LockMode,
        now: Tick,
    ) -> Result<Locking, TooManyLocks> {
        let family = &mut self.running;
        assert!(!family.open.is_empty(), "a transaction is open");
        assert_eq!(family.waits_for, None, "a thread that waits does not run");
        if family.acquired.len() == LOCKS_HELD_MAX
            && self.locks.mode_of(self.thread, lock) < Some(mode)
        {
            return Err(TooManyLocks);
        }
        match self.locks.request(self.thread, lock, mode, now) {
            Request::Held => Ok(Locking::Held),
            Request::Granted { previous } => {
                family.acquired.push(Acquisition {
                    lock,
                    mode,
                    previous,
                });
                Ok(Locking::Held)
            }
            Request::Waits => {
                family.waits_for = Some(lock);
                Ok(Locking::Waits)
            }
        }
    }

    /// Lets another thread run.
    pub(crate) fn switch_to(&mut self, thread: ThreadId) {
        std::mem::swap(&mut self.running, &mut self.parked[self.thread.index()]);
        std::mem::swap(&mut self.running, &mut self.parked[thread.index()]);
        self.thread = thread;
    }

    /// When the next holder is overdue, if nothing is put back before that.
    pub(crate) fn next_timeout(&self) -> Option<Tick> {
        self.locks.first_overdue().map(|overdue| overdue.at)
    }

    /// Aborts what the first overdue holder, if there is one, did since it acquired the lock.
    ///
    /// Call it until there is none: an abort may let a thread go on that is overdue elsewhere.
    pub(crate) fn time_out(
        &mut self,
        now: Tick,
        mut undo: impl FnMut(U, &mut Restoration),
    ) -> Option<TimedOut> {
        let overdue = self.locks.first_overdue().filter(|it| it.at <= now)?;
        let thread = overdue.holder;
        let depth = self.family_mut(thread).depth_of(&overdue);
        let mut aborted = Vec::new();
        while self.family_mut(thread).open.len() > depth {
            aborted.push(self.abort_of(thread, now, &mut undo));
        }
        self.family_mut(thread).lost += aborted.len();
        Some(TimedOut {
            thread,
            lock: overdue.lock,
            aborted,
        })
    }

    /// Takes the number of innermost transactions that a time-out took from the running thread.
    pub(crate) fn take_lost(&mut self) -> usize {
        std::mem::take(&mut self.running.lost)
    }

    /// Takes the threads that got the lock for which they waited, in that order.
    pub(crate) fn take_woken(&mut self) -> impl Iterator<Item = ThreadId> + '_ {
        self.woken.drain(..)
    }

    fn family_mut(&mut self, thread: ThreadId) -> &mut Family<U, C> {
        match thread == self.thread {
            true => &mut self.running,
            false => &mut self.parked[thread.index()],
        }
    }

    /// Puts back a thread's acquisitions from a mark on, newest first.
    fn put_back(&mut self, thread: ThreadId, mark: usize, now: Tick) {
        while self.family_mut(thread).acquired.len() > mark
            && let Some(it) = self.family_mut(thread).acquired.pop()
        {
            let grants = &mut self.grants;
            self.locks
                .put_back(thread, it.lock, it.previous, now, grants);
        }
        self.wake();
    }

    fn give_up_waiting(&mut self, thread: ThreadId, now: Tick) {
        if let Some(lock) = self.family_mut(thread).waits_for.take() {
            self.locks.give_up(thread, lock, now, &mut self.grants);
            self.wake();
        }
    }

    /// Gives waiting threads what was granted to them.
    #[inline]
    fn wake(&mut self) {
        if self.grants.is_empty() {
            return;
        }
        for Grant {
            thread,
            lock,
            previous,
        } in std::mem::take(&mut self.grants)
        {
            let mode = self.locks.mode_of(thread, lock).expect("it was granted");
            let family = self.family_mut(thread);
            family.waits_for = None;
            family.acquired.push(Acquisition {
                lock,
                mode,
                previous,
            });
            self.woken.push(thread);
        }
    }
}

fn count(records: usize) -> u32 {
    u32::try_from(records).expect("logs are bounded by 32-bit limits")
}
