//! Transactions on their own: order of undo, bounds, nesting, locks and their time-outs.
use std::sync::Arc;

use vino_abi as abi;

use super::{
    Aborted, COMMIT_RECORDS_MAX, LOCKS_HELD_MAX, LockMode, Locking, LogFull, NESTING_MAX,
    TooManyLocks, Transactions,
};
use crate::config::{KernelConfig, ProcessConfig};
use crate::ids::{FrameNo, LockId, PageNo, ThreadId, Tick, Ticks, VasId};
use crate::vm::{UndoRecord, Vm};
use crate::workload::Trace;

const VAS: VasId = VasId(0);
const ACT: &str = "an act";

type Txns = Transactions<UndoRecord, &'static str>;

fn transactions(undo_records_max: u32) -> Txns {
    Transactions::new(3, undo_records_max)
}

fn abort(txns: &mut Txns, vm: &mut Vm) -> Aborted {
    txns.abort(Tick(0), |record, watch| vm.undo(record, watch))
}

/// Memory with pages 0 to 3 in frames 0 to 3.
fn memory() -> Vm {
    let name = "db".to_owned();
    let config = KernelConfig {
        frames: 4,
        processes: vec![ProcessConfig { name }],
        ..KernelConfig::default()
    };
    let mut vm = Vm::new(&config).expect("memory");
    let trace = Trace::from_page_ids(0..4).expect("a trace");
    vm.vas_mut(VAS).map(Arc::new(trace));
    for page in 0..4 {
        vm.install(VAS, PageNo(page), false);
    }
    vm
}

fn set(txns: &mut Txns, vm: &mut Vm, frame: u32, state: u32) {
    let frame = FrameNo(frame);
    let record = vm
        .prepare_page_state(frame, state, 4)
        .expect("a legal state");
    txns.log_undo(record).expect("room in the log");
    vm.set_page_state(frame, state, txns.watch());
}

#[test]
fn changes_are_undone_newest_first() {
    let (mut vm, mut txns) = (memory(), transactions(16));
    let before = vm.state_digest();
    txns.begin();
    set(&mut txns, &mut vm, 1, abi::PAGE_INACTIVE);
    set(&mut txns, &mut vm, 1, abi::PAGE_WIRED);
    set(&mut txns, &mut vm, 2, abi::PAGE_INACTIVE);
    set(&mut txns, &mut vm, 1, abi::PAGE_ACTIVE);
    assert_ne!(vm.state_digest(), before);
    let aborted = abort(&mut txns, &mut vm);
    assert_eq!((aborted.undo_records, aborted.state_restored), (4, true));
    assert_eq!(vm.state_digest(), before);
    assert!(txns.is_idle());
}

#[test]
fn a_change_behind_the_logs_back_is_noticed() {
    let (mut vm, mut txns) = (memory(), transactions(16));
    txns.begin();
    set(&mut txns, &mut vm, 1, abi::PAGE_INACTIVE);
    // A graft-safe function with a bug: it changes without logging.
    vm.set_page_state(FrameNo(2), abi::PAGE_INACTIVE, txns.watch());
    assert!(!abort(&mut txns, &mut vm).state_restored);
}

#[test]
fn a_childs_abort_leaves_its_parents_changes() {
    let (mut vm, mut txns) = (memory(), transactions(16));
    let before = vm.state_digest();
    txns.begin();
    set(&mut txns, &mut vm, 0, abi::PAGE_WIRED);
    let parents = vm.state_digest();
    txns.begin();
    set(&mut txns, &mut vm, 0, abi::PAGE_INACTIVE);
    txns.log_commit(ACT).expect("room");
    let child = abort(&mut txns, &mut vm);
    assert_eq!((child.undo_records, child.state_restored), (1, true));
    assert_eq!(vm.state_digest(), parents);
    let parent = abort(&mut txns, &mut vm);
    assert!(parent.state_restored);
    assert_eq!(vm.state_digest(), before);
    assert!(txns.is_idle());
}

#[test]
fn a_childs_commit_leaves_its_records_to_the_parent() {
    let (mut vm, mut txns) = (memory(), transactions(16));
    let before = vm.state_digest();
    txns.begin();
    txns.begin();
    set(&mut txns, &mut vm, 3, abi::PAGE_INACTIVE);
    txns.log_commit(ACT).expect("room");
    let mut child = txns.commit();
    assert_eq!(child.undo_records, 1);
    assert_eq!(
        txns.next_act(&mut child),
        None,
        "the parent may still abort"
    );
    let parent = abort(&mut txns, &mut vm);
    assert_eq!((parent.undo_records, parent.state_restored), (1, true));
    assert_eq!(vm.state_digest(), before);
    assert!(txns.is_idle());
}

#[test]
fn acts_wait_for_the_outermost_commit_and_are_carried_out_oldest_first() {
    let mut txns = transactions(16);
    txns.begin();
    txns.log_commit("first").expect("room");
    txns.begin();
    txns.log_commit("second").expect("room");
    txns.commit();
    txns.begin();
    txns.log_commit("forgotten").expect("room");
    abort(&mut txns, &mut memory());
    let mut committed = txns.commit();
    assert_eq!(committed.commit_records, 2);
    assert_eq!(txns.next_act(&mut committed), Some("first"));
    // An act may need a transaction of its own, with acts of its own.
    txns.begin();
    txns.log_commit("inner").expect("room");
    let mut inner = txns.commit();
    assert_eq!(txns.next_act(&mut inner), Some("inner"));
    assert_eq!(txns.next_act(&mut inner), None);
    txns.end(&inner, Tick(0));
    assert_eq!(txns.next_act(&mut committed), Some("second"));
    assert_eq!(txns.next_act(&mut committed), None);
    txns.end(&committed, Tick(0));
    assert!(txns.is_idle());
}

#[test]
fn logs_are_bounded() {
    let (vm, mut txns) = (memory(), transactions(2));
    txns.begin();
    let record = vm.prepare_page_state(FrameNo(0), abi::PAGE_ACTIVE, 1);
    let record = record.expect("a legal state");
    assert_eq!(txns.log_undo(record), Ok(()));
    assert_eq!(txns.log_undo(record), Ok(()));
    assert_eq!(txns.log_undo(record), Err(LogFull));
    for _ in 0..COMMIT_RECORDS_MAX {
        assert_eq!(txns.log_commit(ACT), Ok(()));
    }
    assert_eq!(txns.log_commit(ACT), Err(LogFull));
    // A child has bounds of its own, so that a greedy parent does not make it fail.
    txns.begin();
    assert_eq!(txns.log_undo(record), Ok(()));
    assert_eq!(txns.log_commit(ACT), Ok(()));
    txns.commit();
    assert_eq!(txns.log_undo(record), Err(LogFull));
    assert_eq!(txns.log_commit(ACT), Err(LogFull));
}

#[test]
#[should_panic(expected = "nesting is bounded")]
fn nesting_is_bounded() {
    let mut txns = transactions(1);
    for _ in 0..=NESTING_MAX {
        txns.begin();
    }
}

#[test]
fn numbers_are_never_reused() {
    let (mut vm, mut txns) = (memory(), transactions(1));
    let first = txns.begin();
    abort(&mut txns, &mut vm);
    let second = txns.begin();
    assert_eq!((first.number(), second.number()), (1, 2));
    assert_eq!(txns.next_id().number(), 3);
}

const SHARED: LockMode = LockMode::Shared;
const EXCLUSIVE: LockMode = LockMode::Exclusive;
const TIMEOUT: Ticks = Ticks(10);

/// Threads that take locks; a change is a cell and its old value.
struct Threads {
    txns: Transactions<(usize, u32), ()>,
    cells: [u32; 2],
    locks: [LockId; 2],
}

impl Threads {
    fn new() -> Threads {
        let mut txns = Transactions::new(3, 16);
        let mut define = || txns.define_lock(TIMEOUT).expect("a lock");
        let locks = [define(), define()];
        Threads {
            txns,
            cells: [0; 2],
            locks,
        }
    }

    fn lock(&mut self, thread: u32, lock: usize, mode: LockMode, now: u64) -> Locking {
        self.txns.switch_to(ThreadId(thread));
        let locked = self.txns.lock(self.locks[lock], mode, Tick(now));
        locked.expect("few locks")
    }

    fn begin(&mut self, thread: u32) {
        self.txns.switch_to(ThreadId(thread));
        self.txns.begin();
    }

    fn write(&mut self, cell: usize, value: u32) {
        self.txns.log_undo((cell, self.cells[cell])).expect("room");
        self.cells[cell] = value;
    }

    fn commit(&mut self, thread: u32, now: u64) {
        self.txns.switch_to(ThreadId(thread));
        let committed = self.txns.commit();
        if committed.parent.is_none() {
            self.txns.end(&committed, Tick(now));
        }
    }

    fn abort(&mut self, thread: u32, now: u64) {
        self.txns.switch_to(ThreadId(thread));
        let cells = &mut self.cells;
        self.txns
            .abort(Tick(now), |(cell, old), _| cells[cell] = old);
    }

    /// Whom a time-out hits at that time, and how many transactions it takes from it.
    fn time_out(&mut self, now: u64) -> Option<(u32, usize)> {
        let cells = &mut self.cells;
        let undo = |(cell, old): (usize, u32), _: &mut _| cells[cell] = old;
        let timed_out = self.txns.time_out(Tick(now), undo)?;
        Some((timed_out.thread.0, timed_out.aborted.len()))
    }

    fn woken(&mut self) -> Vec<u32> {
        self.txns.take_woken().map(|thread| thread.0).collect()
    }
}

#[test]
fn a_holder_is_aborted_when_a_waiters_time_out_passes_and_not_otherwise() {
    let mut threads = Threads::new();
    threads.begin(0);
    assert_eq!(threads.lock(0, 0, EXCLUSIVE, 0), Locking::Held);
    threads.write(0, 7);
    assert_eq!(threads.time_out(1_000_000), None, "nobody wants the lock");
    threads.begin(1);
    assert_eq!(threads.lock(1, 0, SHARED, 1_000_000), Locking::Waits);
    assert_eq!(threads.txns.next_timeout(), Some(Tick(1_000_010)));
    assert_eq!(threads.time_out(1_000_009), None);
    assert_eq!((threads.cells, threads.woken()), ([7, 0], vec![]));
    assert_eq!(threads.time_out(1_000_010), Some((0, 1)));
    assert_eq!((threads.cells, threads.woken()), ([0, 0], vec![1]));
    threads.txns.switch_to(ThreadId(0));
    assert_eq!(
        threads.txns.take_lost(),
        1,
        "the holder learns what it lost"
    );
    threads.commit(1, 1_000_011);
    assert!(threads.txns.is_idle());
}

#[test]
fn a_time_out_takes_only_what_came_after_the_acquisition() {
    let mut threads = Threads::new();
    threads.begin(0);
    threads.lock(0, 1, EXCLUSIVE, 0);
    threads.write(1, 5);
    threads.begin(0);
    threads.lock(0, 0, SHARED, 0);
    threads.begin(0);
    threads.lock(0, 0, EXCLUSIVE, 0);
    threads.write(0, 6);
    threads.begin(1);
    assert_eq!(threads.lock(1, 0, SHARED, 0), Locking::Waits);
    // A reader is let in by undoing the child that began to write, not its parent that reads.
    assert_eq!(threads.time_out(10), Some((0, 1)));
    assert_eq!((threads.cells, threads.woken()), ([0, 5], vec![1]));
    threads.begin(2);
    assert_eq!(threads.lock(2, 0, EXCLUSIVE, 10), Locking::Waits);
    assert_eq!(threads.time_out(20), Some((0, 1)));
    assert_eq!(threads.time_out(20), Some((1, 1)));
    assert_eq!((threads.cells, threads.woken()), ([0, 5], vec![2]));
    threads.commit(0, 21);
    threads.commit(2, 21);
    assert!(threads.txns.is_idle());
}

#[test]
fn waiting_is_fair_and_a_reader_that_wants_to_write_goes_first() {
    let mut threads = Threads::new();
    (0..3).for_each(|thread| threads.begin(thread));
    assert_eq!(threads.lock(0, 0, SHARED, 0), Locking::Held);
    assert_eq!(threads.lock(1, 0, SHARED, 0), Locking::Held);
    assert_eq!(threads.lock(2, 0, EXCLUSIVE, 1), Locking::Waits);
    assert_eq!(threads.lock(0, 0, SHARED, 2), Locking::Held, "re-entrant");
    assert_eq!(threads.lock(0, 0, EXCLUSIVE, 3), Locking::Waits);
    threads.commit(1, 4);
    assert_eq!(threads.woken(), [0], "the upgrade passes the newcomer");
    threads.begin(1);
    assert_eq!(
        threads.lock(1, 0, SHARED, 5),
        Locking::Waits,
        "behind the writer"
    );
    threads.commit(0, 6);
    assert_eq!(threads.woken(), [2]);
    threads.abort(2, 7);
    assert_eq!(threads.woken(), [1]);
    threads.commit(1, 8);
    assert!(threads.txns.is_idle());
}

#[test]
fn a_deadlock_ends_with_the_first_time_out() {
    let mut threads = Threads::new();
    threads.begin(0);
    threads.begin(1);
    threads.lock(0, 0, EXCLUSIVE, 0);
    threads.lock(1, 1, EXCLUSIVE, 0);
    assert_eq!(threads.lock(0, 1, SHARED, 3), Locking::Waits);
    assert_eq!(threads.lock(1, 0, SHARED, 5), Locking::Waits);
    assert_eq!(threads.time_out(12), None);
    assert_eq!(
        threads.time_out(13),
        Some((1, 1)),
        "the one that thread 0 waits for"
    );
    assert_eq!(threads.woken(), [0]);
    assert_eq!(
        threads.txns.next_timeout(),
        None,
        "its own wait ended with it"
    );
    threads.commit(0, 14);
    assert!(threads.txns.is_idle());
}

#[test]
fn what_a_child_locked_is_its_parents_after_commit_and_free_after_abort() {
    let mut threads = Threads::new();
    for keeps in [true, false] {
        threads.begin(0);
        threads.begin(0);
        threads.lock(0, 0, EXCLUSIVE, 0);
        match keeps {
            true => threads.commit(0, 0),
            false => threads.abort(0, 0),
        }
        threads.begin(1);
        let expected = if keeps { Locking::Waits } else { Locking::Held };
        assert_eq!(threads.lock(1, 0, EXCLUSIVE, 0), expected);
        threads.abort(1, 0);
        threads.commit(0, 0);
        assert!(threads.txns.is_idle());
    }
}

#[test]
fn a_thread_holds_so_many_locks_and_no_more() {
    let mut txns: Transactions<(), ()> = Transactions::new(1, 0);
    txns.begin();
    let mut lock = || {
        let lock = txns.define_lock(TIMEOUT).expect("a lock");
        txns.lock(lock, SHARED, Tick(0))
    };
    for _ in 0..LOCKS_HELD_MAX {
        assert_eq!(lock(), Ok(Locking::Held));
    }
    assert_eq!(lock(), Err(TooManyLocks));
    assert_eq!(txns.lock(LockId(0), SHARED, Tick(0)), Ok(Locking::Held));
}
