//! Transactions against a naive twin: random histories of threads, compared after every step.
//!
//! The twin has no undo log. It remembers every write with the transaction that made it, and knows
//! the state of memory by making a new memory and repeating the writes whose transactions were not
//! aborted. Its locks are a list of all grants, of which those of living transactions count.
use std::sync::Arc;

use proptest::prelude::*;
use vino_abi as abi;

use super::{LockMode, Locking, NESTING_MAX, Transactions};
use crate::config::{KernelConfig, ProcessConfig};
use crate::ids::{FrameNo, LockId, PageNo, ThreadId, Tick, Ticks, VasId};
use crate::vm::{UndoRecord, Vm};
use crate::workload::Trace;

const THREADS: u32 = 3;
const PAGES: u32 = 4;
const PROCESSES: u32 = 2;
/// Twice the pages, so that all of them may be wired.
const FRAMES: u32 = 2 * PAGES * PROCESSES;
/// The time-outs of the locks; each protects the pages of one process.
const TIMEOUTS: [u64; PROCESSES as usize] = [3, 5];

fn memory() -> Vm {
    let name = |number: u32| ProcessConfig {
        name: format!("p{number}"),
    };
    let config = KernelConfig {
        frames: FRAMES,
        processes: (0..PROCESSES).map(name).collect(),
        ..KernelConfig::default()
    };
    let mut vm = Vm::new(&config).expect("memory");
    let trace = Arc::new(Trace::from_page_ids(0..u64::from(PAGES)).expect("a trace"));
    for vas in (0..PROCESSES).map(VasId) {
        vm.vas_mut(vas).map(Arc::clone(&trace));
        for page in (0..PAGES).map(PageNo) {
            vm.install(vas, page, false);
        }
    }
    vm
}

fn prepare(vm: &Vm, frame: FrameNo, state: u32) -> UndoRecord {
    let prepared = vm.prepare_page_state(frame, state, PAGES);
    prepared.expect("every page may be wired")
}

/// What happened to a transaction, as a number in the twin's list of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Open,
    /// Its writes are those of its parent.
    Merged(usize),
    Committed,
    Aborted,
}

#[derive(Clone, Copy, Debug)]
struct Granted {
    txn: usize,
    thread: u32,
    lock: u32,
    mode: LockMode,
    since: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Waiting {
    thread: u32,
    lock: u32,
    mode: LockMode,
    since: u64,
}

/// Everything that ever happened.
#[derive(Clone, Debug, Default)]
struct Twin {
    txns: Vec<(u32, Fate)>,
    writes: Vec<(usize, FrameNo, u32)>,
    granted: Vec<Granted>,
    waiting: Vec<Waiting>,
    now: u64,
}

impl Twin {
    fn fate(&self, txn: usize) -> Fate {
        match self.txns[txn].1 {
            Fate::Merged(parent) => self.fate(parent),
            fate => fate,
        }
    }

    /// The open transactions of a thread, outermost first.
    fn open(&self, thread: u32) -> Vec<usize> {
        let is_open = |it: &usize| self.txns[*it] == (thread, Fate::Open);
        (0..self.txns.len()).filter(is_open).collect()
    }

    fn end(&mut self, thread: u32, fate: impl Fn(Option<usize>) -> Fate) {
        let mut open = self.open(thread);
        let txn = open.pop().expect("open");
        self.txns[txn].1 = fate(open.last().copied());
        self.waiting.retain(|it| it.thread != thread);
        self.grant();
    }

    fn mode(&self, thread: u32, lock: u32) -> Option<LockMode> {
        let live = self
            .granted
            .iter()
            .filter(|it| self.fate(it.txn) == Fate::Open);
        let own = live.filter(|it| (it.thread, it.lock) == (thread, lock));
        own.map(|it| it.mode).max()
    }

    fn admits(&self, thread: u32, lock: u32, mode: LockMode) -> bool {
        let others = (0..THREADS).filter(|it| *it != thread);
        let mut held = others.filter_map(|it| self.mode(it, lock));
        match mode {
            LockMode::Exclusive => held.next().is_none(),
            LockMode::Shared => held.all(|held| held == LockMode::Shared),
        }
    }

    fn take(&mut self, thread: u32, lock: u32, mode: LockMode) {
        let txn = *self.open(thread).last().expect("open");
        self.granted.push(Granted {
            txn,
            thread,
            lock,
            mode,
            since: self.now,
        });
    }

    /// Whether the thread holds the lock now.
    fn lock(&mut self, thread: u32, lock: u32, mode: LockMode) -> bool {
        let held = self.mode(thread, lock);
        if held >= Some(mode) {
            return true;
        }
        let queued = self.waiting.iter().any(|it| it.lock == lock);
        if (held.is_some() || !queued) && self.admits(thread, lock, mode) {
            self.take(thread, lock, mode);
            return true;
        }
        self.waiting.push(Waiting {
            thread,
            lock,
            mode,
            since: self.now,
        });
        false
    }

    /// The queue of a lock: who holds it already goes first.
    fn queue(&self, lock: u32) -> Vec<Waiting> {
        let queue = self.waiting.iter().filter(|it| it.lock == lock).copied();
        let (first, then) = queue.partition::<Vec<_>, _>(|it| self.mode(it.thread, lock).is_some());
        [first, then].concat()
    }

    fn grant(&mut self) {
        for lock in 0..PROCESSES {
            while let Some(first) = self.queue(lock).first().copied()
                && self.admits(first.thread, lock, first.mode)
            {
                self.waiting.retain(|it| it.thread != first.thread);
                self.take(first.thread, lock, first.mode);
            }
        }
    }

    /// Who is overdue first: when, the lock, the thread, and what is wanted.
    fn overdue(&self) -> Option<(u64, u32, u32, LockMode)> {
        let mut all = Vec::new();
        for lock in 0..PROCESSES {
            for (at, holder) in self.holders(lock).into_iter().enumerate() {
                let held = self.mode(holder.thread, lock).expect("a holder");
                let blocked = self.waiting.iter().filter(|it| {
                    let exclusive = held.max(it.mode) == LockMode::Exclusive;
                    it.lock == lock && it.thread != holder.thread && exclusive
                });
                if let Some(first) = blocked.min_by_key(|it| it.since) {
                    let since = first.since.max(holder.since) + TIMEOUTS[lock as usize];
                    all.push(((since, lock, at), (holder.thread, first.mode)));
                }
            }
        }
        let ((since, lock, _), (thread, mode)) = all.into_iter().min_by_key(|(key, _)| *key)?;
        Some((since, lock, thread, mode))
    }

    /// The first living grant of each holder of a lock, in their order.
    fn holders(&self, lock: u32) -> Vec<Granted> {
        let mut holders: Vec<Granted> = Vec::new();
        for it in self.granted.iter().filter(|it| it.lock == lock) {
            let known = holders.iter().any(|holder| holder.thread == it.thread);
            if !known && self.fate(it.txn) == Fate::Open {
                holders.push(*it);
            }
        }
        holders
    }

    /// Aborts the fewest transactions of the first overdue holder that let the others in.
    fn time_out(&mut self) -> Option<(u32, usize)> {
        let (_, lock, thread, wanted) = self.overdue().filter(|it| it.0 <= self.now)?;
        for lost in 1.. {
            let open = *self.open(thread).last().expect("an overdue holder");
            self.txns[open].1 = Fate::Aborted;
            let rest = self.mode(thread, lock);
            if rest.is_none_or(|rest| rest.max(wanted) == LockMode::Shared) {
                self.waiting.retain(|it| it.thread != thread);
                self.grant();
                return Some((thread, lost));
            }
        }
        None
    }

    /// Memory as the writes that count leave it.
    fn state_digest(&self) -> [u8; 32] {
        let mut vm = memory();
        for &(txn, frame, state) in &self.writes {
            if self.fate(txn) != Fate::Aborted {
                prepare(&vm, frame, state);
                vm.set_page_state(frame, state, &mut crate::vm::Restoration::default());
            }
        }
        vm.state_digest()
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Begin,
    Commit,
    Abort,
    Read {
        lock: u32,
    },
    /// Takes the lock of a page's process, and sets the page's state if it has it.
    Write {
        page: u32,
        state: u32,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let state = prop_oneof![
        Just(abi::PAGE_ACTIVE),
        Just(abi::PAGE_INACTIVE),
        Just(abi::PAGE_WIRED),
    ];
    let write = (0..PAGES * PROCESSES, state);
    prop_oneof![
        2 => Just(Step::Begin),
        2 => Just(Step::Commit),
        1 => Just(Step::Abort),
        1 => (0..PROCESSES).prop_map(|lock| Step::Read { lock }),
        4 => write.prop_map(|(page, state)| Step::Write { page, state }),
    ]
}

/// Both models, moved in step.
struct Pair {
    vm: Vm,
    txns: Transactions<UndoRecord, ()>,
    twin: Twin,
}

impl Pair {
    fn new() -> Pair {
        let mut txns = Transactions::new(THREADS, 256);
        for timeout in TIMEOUTS {
            txns.define_lock(Ticks(timeout)).expect("a lock");
        }
        Pair {
            vm: memory(),
            txns,
            twin: Twin::default(),
        }
    }

    fn begin(&mut self, thread: u32) {
        self.txns.begin();
        self.twin.txns.push((thread, Fate::Open));
    }

    fn step(&mut self, thread: u32, step: Step) {
        if self.twin.waiting.iter().any(|it| it.thread == thread) {
            return;
        }
        self.txns.switch_to(ThreadId(thread));
        self.txns.take_lost();
        let depth = self.twin.open(thread).len();
        match step {
            Step::Begin if depth < NESTING_MAX => self.begin(thread),
            Step::Commit if depth > 0 => {
                let committed = self.txns.commit();
                if committed.parent.is_none() {
                    self.txns.end(&committed, Tick(self.twin.now));
                }
                let fate = |parent: Option<usize>| parent.map_or(Fate::Committed, Fate::Merged);
                self.twin.end(thread, fate);
            }
            Step::Abort if depth > 0 => {
                let vm = &mut self.vm;
                let now = Tick(self.twin.now);
                let aborted = self.txns.abort(now, |record, watch| vm.undo(record, watch));
                assert!(aborted.state_restored);
                self.twin.end(thread, |_| Fate::Aborted);
            }
            Step::Begin | Step::Commit | Step::Abort => {}
            Step::Read { lock } => {
                self.lock(thread, lock, LockMode::Shared);
            }
            Step::Write { page, state } => self.write(thread, page, state),
        }
    }

    fn lock(&mut self, thread: u32, lock: u32, mode: LockMode) -> bool {
        if self.twin.open(thread).is_empty() {
            self.begin(thread);
        }
        let locked = self.txns.lock(LockId(lock), mode, Tick(self.twin.now));
        let held = locked.expect("few locks") == Locking::Held;
        assert_eq!(held, self.twin.lock(thread, lock, mode));
        held
    }

    fn write(&mut self, thread: u32, page: u32, state: u32) {
        let (vas, frame) = (page / PAGES, FrameNo(page));
        if !self.lock(thread, vas, LockMode::Exclusive) {
            return;
        }
        let record = prepare(&self.vm, frame, state);
        self.txns.log_undo(record).expect("room in the log");
        self.vm.set_page_state(frame, state, self.txns.watch());
        let txn = *self.twin.open(thread).last().expect("open");
        self.twin.writes.push((txn, frame, state));
    }

    fn tick(&mut self) {
        self.twin.now += 1;
        loop {
            let vm = &mut self.vm;
            let undo = |record, watch: &mut _| vm.undo(record, watch);
            let timed_out = self.txns.time_out(Tick(self.twin.now), undo);
            let expected = self.twin.time_out();
            let got = timed_out.map(|it| {
                assert!(it.aborted.iter().all(|aborted| aborted.state_restored));
                (it.thread.0, it.aborted.len())
            });
            assert_eq!(got, expected);
            if got.is_none() {
                return;
            }
        }
    }

    fn compare(&self) {
        assert_eq!(self.vm.state_digest(), self.twin.state_digest());
        for (thread, lock) in (0..THREADS).flat_map(|it| (0..PROCESSES).map(move |on| (it, on))) {
            let mode = self.txns.locks.mode_of(ThreadId(thread), LockId(lock));
            assert_eq!(
                mode,
                self.twin.mode(thread, lock),
                "thread {thread}, lock {lock}"
            );
        }
        let next = self.txns.next_timeout().map(|at| at.0);
        assert_eq!(next, self.twin.overdue().map(|it| it.0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn transactions_equal_their_naive_twin_after_every_step(
        steps in proptest::collection::vec((0..THREADS, step(), 0..2u64), 1..60),
    ) {
        let mut pair = Pair::new();
        for (thread, step, ticks) in steps {
            pair.step(thread, step);
            pair.compare();
            (0..ticks).for_each(|_| pair.tick());
            pair.compare();
        }
        for thread in 0..THREADS {
            pair.txns.switch_to(ThreadId(thread));
            while !pair.twin.open(thread).is_empty() {
                let vm = &mut pair.vm;
                let now = Tick(pair.twin.now);
                pair.txns.abort(now, |record, watch| vm.undo(record, watch));
                pair.twin.end(thread, |_| Fate::Aborted);
                pair.compare();
            }
        }
        prop_assert!(pair.txns.is_idle());
    }
}
