//! Every history of three threads with up to four steps each on two locks.
//!
//! Histories that lead to the same state have the same future, so states are visited once; time
//! passes as one of the steps whenever somebody waits. In each state it is checked that locks are
//! compatible, that whoever waits has a reason, that each cell has the value that its last
//! surviving writer gave it, and that no thread waits beyond its bound. A thread without steps
//! holds what it has for ever: nothing but time-outs helps the others.
use std::collections::BTreeSet;

use super::{Aborted, LockMode, Locking, Transactions};
use crate::ids::{LockId, ThreadId, Tick, Ticks};

const THREADS: usize = 3;
const LOCKS: usize = 2;
/// Time-outs of the two locks' classes.
const TIMEOUTS: [u64; LOCKS] = [1, 2];
/// The longest wait: each other thread may hold the lock before, for the longest time-out.
const WAIT_TICKS_MAX: u64 = (THREADS as u64 - 1) * TIMEOUTS[1];

/// One step of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Lock(usize, LockMode),
    Begin,
    Commit,
    Abort,
}

/// Locks, readers and writers: the steps of flat transactions.
const FLAT: &[Step] = &[
    Step::Lock(0, LockMode::Shared),
    Step::Lock(0, LockMode::Exclusive),
    Step::Lock(1, LockMode::Shared),
    Step::Lock(1, LockMode::Exclusive),
    Step::Commit,
];

/// One lock in both modes and one to write: the steps of nested transactions.
const NESTED: &[Step] = &[
    Step::Lock(0, LockMode::Shared),
    Step::Lock(0, LockMode::Exclusive),
    Step::Lock(1, LockMode::Exclusive),
    Step::Begin,
    Step::Commit,
    Step::Abort,
];

/// A transaction as the naive model sees it: what its locks were, and every cell's value, before.
#[derive(Clone, Debug)]
struct Level {
    held: [Option<LockMode>; LOCKS],
    /// Values of the cells when this level first wrote them.
    saved: [Option<u32>; LOCKS],
}

#[derive(Clone, Debug)]
struct Thread {
    steps_left: u8,
    levels: Vec<Level>,
    held: [Option<LockMode>; LOCKS],
    waits: Option<(usize, LockMode)>,
}

/// A state, beside the naive model of it.
#[derive(Clone)]
struct State {
    txns: Transactions<(usize, u32), ()>,
    cells: [u32; LOCKS],
    now: u64,
    threads: [Thread; THREADS],
    model_cells: [u32; LOCKS],
    waiting_since: [u64; THREADS],
    writes: u32,
}

impl State {
    fn new(steps: [u8; THREADS]) -> State {
        let mut txns = Transactions::new(3, 8);
        for timeout in TIMEOUTS {
            txns.define_lock(Ticks(timeout)).expect("a lock");
        }
        State {
            txns,
            cells: [0; LOCKS],
            now: 0,
            threads: steps.map(|steps_left| Thread {
                steps_left,
                levels: Vec::new(),
                held: [None; LOCKS],
                waits: None,
            }),
            model_cells: [0; LOCKS],
            waiting_since: [0; THREADS],
            writes: 0,
        }
    }

    /// What the future depends on, hashed.
    ///
    /// Which values cells have does not matter, as every write has a value of its own; which of
    /// them a transaction would restore does.
    fn key(&self) -> [u8; 16] {
        let mut bytes = Vec::with_capacity(128);
        for thread in &self.threads {
            let mode = |mode: Option<LockMode>| mode.map_or(0, |mode| 1 + mode as u8);
            let waits = thread
                .waits
                .map_or(9, |(lock, _)| u8::try_from(lock).expect("few"));
            let wanted = thread.waits.map(|(_, mode)| mode);
            bytes.extend([thread.steps_left, waits, mode(wanted), 0xff]);
            bytes.extend(thread.held.map(mode));
            for level in &thread.levels {
                bytes.extend(level.held.map(mode));
                bytes.extend(level.saved.map(|saved| u8::from(saved.is_some())));
            }
        }
        self.txns.locks.describe(Tick(self.now), &mut bytes);
        let hash = blake3::hash(&bytes);
        *hash.as_bytes().first_chunk().expect("a hash has 32 bytes")
    }

    fn switch(&mut self, thread: usize) {
        let thread = u32::try_from(thread).expect("few threads");
        self.txns.switch_to(ThreadId(thread));
    }

    fn begin(&mut self, thread: usize) {
        self.txns.begin();
        let held = self.threads[thread].held;
        self.threads[thread].levels.push(Level {
            held,
            saved: [None; LOCKS],
        });
    }

    /// Notes that a thread holds a lock now; whoever may write a cell writes its own number.
    fn holds(&mut self, thread: usize, lock: usize, mode: LockMode) {
        let held = &mut self.threads[thread].held[lock];
        *held = (*held).max(Some(mode));
        self.threads[thread].waits = None;
        if mode == LockMode::Exclusive {
            self.writes += 1;
            let value = self.writes;
            self.switch(thread);
            self.txns.log_undo((lock, self.cells[lock])).expect("room");
            self.cells[lock] = value;
            let level = self.threads[thread].levels.last_mut().expect("open");
            level.saved[lock].get_or_insert(self.model_cells[lock]);
            self.model_cells[lock] = value;
        }
    }

    fn model_abort(&mut self, thread: usize) {
        let level = self.threads[thread].levels.pop().expect("open");
        self.threads[thread].held = level.held;
        self.threads[thread].waits = None;
        for (cell, saved) in self.model_cells.iter_mut().zip(level.saved) {
            *cell = saved.unwrap_or(*cell);
        }
    }

    fn model_commit(&mut self, thread: usize) {
        let child = self.threads[thread].levels.pop().expect("open");
        let threads = &mut self.threads[thread];
        match threads.levels.last_mut() {
            Some(parent) => {
                for (mine, childs) in parent.saved.iter_mut().zip(child.saved) {
                    *mine = mine.or(childs);
                }
            }
            None => threads.held = [None; LOCKS],
        }
    }

    /// Does a step; false if the thread cannot do it now.
    fn step(&mut self, thread: usize, step: Step) -> bool {
        let it = &self.threads[thread];
        if it.steps_left == 0 || it.waits.is_some() {
            return false;
        }
        let depth = it.levels.len();
        let possible = match step {
            Step::Lock(..) => true,
            Step::Begin => depth < 3,
            Step::Commit | Step::Abort => depth > 0,
        };
        if !possible {
            return false;
        }
        self.switch(thread);
        self.txns.take_lost();
        match step {
            Step::Lock(lock, mode) => {
                if depth == 0 {
                    self.begin(thread);
                }
                self.lock(thread, lock, mode);
            }
            Step::Begin => self.begin(thread),
            Step::Commit => {
                let committed = self.txns.commit();
                if committed.parent.is_none() {
                    self.txns.end(&committed, Tick(self.now));
                }
                self.model_commit(thread);
            }
            Step::Abort => {
                let cells = &mut self.cells;
                let aborted = self
                    .txns
                    .abort(Tick(self.now), |(cell, old), _| cells[cell] = old);
                assert!(aborted.undo_records <= 8);
                self.model_abort(thread);
            }
        }
        self.threads[thread].steps_left -= 1;
        self.settle();
        true
    }

    fn lock(&mut self, thread: usize, lock: usize, mode: LockMode) {
        let id = LockId(u32::try_from(lock).expect("few locks"));
        let locked = self.txns.lock(id, mode, Tick(self.now));
        match locked.expect("few locks are held") {
            Locking::Held => self.holds(thread, lock, mode),
            Locking::Waits => {
                self.threads[thread].waits = Some((lock, mode));
                self.waiting_since[thread] = self.now;
            }
        }
    }

    /// Lets a tick pass, which aborts whoever is overdue; false if nobody waits.
    fn tick(&mut self) -> bool {
        if self.threads.iter().all(|thread| thread.waits.is_none()) {
            return false;
        }
        self.now += 1;
        loop {
            let cells = &mut self.cells;
            let undo = |(cell, old): (usize, u32), _: &mut _| cells[cell] = old;
            let Some(timed_out) = self.txns.time_out(Tick(self.now), undo) else {
                return true;
            };
            let lock = timed_out.lock.index();
            let waits = |it: &Thread| it.waits.is_some_and(|(wanted, _)| wanted == lock);
            assert!(
                self.threads.iter().any(waits),
                "nobody is aborted for nothing"
            );
            let loser = timed_out.thread.index();
            let lost: Vec<Aborted> = timed_out.aborted;
            assert!(!lost.is_empty());
            lost.iter().for_each(|_| self.model_abort(loser));
            self.settle();
        }
    }

    /// Tells the model who got the lock for which it waited.
    fn settle(&mut self) {
        let woken: Vec<ThreadId> = self.txns.take_woken().collect();
        for thread in woken.into_iter().map(ThreadId::index) {
            let (lock, mode) = self.threads[thread].waits.expect("it waited");
            self.holds(thread, lock, mode);
        }
    }

    fn check(&self) {
        assert_eq!(self.cells, self.model_cells, "aborts restore, commits keep");
        for lock in 0..LOCKS {
            let id = LockId(u32::try_from(lock).expect("few locks"));
            let modes = (0..).zip(&self.threads).filter_map(|(number, thread)| {
                let mode = self.txns.locks.mode_of(ThreadId(number), id);
                assert_eq!(
                    mode, thread.held[lock],
                    "the table holds what the model holds"
                );
                mode
            });
            let modes: Vec<LockMode> = modes.collect();
            assert!(
                modes.len() <= 1 || modes.iter().all(|mode| *mode == LockMode::Shared),
                "one writer or many readers: {modes:?}"
            );
        }
        for (number, thread) in self.threads.iter().enumerate() {
            let Some((lock, mode)) = thread.waits else {
                continue;
            };
            let others = self
                .threads
                .iter()
                .enumerate()
                .filter(|(it, _)| *it != number);
            let reason = |(_, it): (usize, &Thread)| match (it.held[lock], it.waits) {
                (Some(held), _) if held.max(mode) == LockMode::Exclusive => true,
                // Or somebody waits before it; the queue is fair.
                (_, Some((wanted, _))) => wanted == lock,
                _ => false,
            };
            assert!(others.into_iter().any(reason), "whoever waits has a reason");
            let waited = self.now - self.waiting_since[number];
            assert!(
                waited <= WAIT_TICKS_MAX,
                "thread {number} waited {waited} ticks"
            );
        }
    }
}

/// Visits every state that the steps lead to, and gives how many there are.
fn explore(steps: [u8; THREADS], alphabet: &[Step]) -> usize {
    let first = State::new(steps);
    let mut seen = BTreeSet::from([first.key()]);
    let mut unvisited = vec![first];
    while let Some(state) = unvisited.pop() {
        state.check();
        let mut visit = |next: State| {
            if seen.insert(next.key()) {
                unvisited.push(next);
            }
        };
        for thread in 0..THREADS {
            // Threads are alike, so their numbers are the order in which they begin.
            if thread > 0 && state.threads[thread - 1].steps_left == steps[thread - 1] {
                break;
            }
            for &step in alphabet {
                let mut next = state.clone();
                if next.step(thread, step) {
                    visit(next);
                }
            }
        }
        let mut next = state;
        if next.tick() {
            visit(next);
        }
    }
    seen.len()
}

#[test]
fn no_deadlock_of_three_threads_survives_its_bound() {
    let states = explore([4, 4, 4], FLAT);
    assert!(states > 100_000, "only {states} states were visited");
}

#[test]
fn nested_transactions_restore_what_they_changed_in_every_history() {
    let states = explore([4, 4, 0], NESTED);
    assert!(states > 10_000, "only {states} states were visited");
}
