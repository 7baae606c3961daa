//! Transactions on their own: order of undo, bounds, nesting.
use std::sync::Arc;

use vino_abi as abi;

use super::{COMMIT_RECORDS_MAX, CommitRecord, LogFull, NESTING_MAX, Transactions};
use crate::config::{KernelConfig, ProcessConfig};
use crate::ids::{FrameNo, PageNo, VasId};
use crate::vm::Vm;
use crate::workload::Trace;

const VAS: VasId = VasId(0);

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

fn set(txns: &mut Transactions, vm: &mut Vm, frame: u32, state: u32) {
    let frame = FrameNo(frame);
    let record = vm
        .prepare_page_state(frame, state, 4)
        .expect("a legal state");
    txns.log_undo(record).expect("room in the log");
    vm.set_page_state(frame, state, txns.watch());
}

#[test]
fn changes_are_undone_newest_first() {
    let (mut vm, mut txns) = (memory(), Transactions::new(16));
    let before = vm.state_digest();
    txns.begin();
    set(&mut txns, &mut vm, 1, abi::PAGE_INACTIVE);
    set(&mut txns, &mut vm, 1, abi::PAGE_WIRED);
    set(&mut txns, &mut vm, 2, abi::PAGE_INACTIVE);
    set(&mut txns, &mut vm, 1, abi::PAGE_ACTIVE);
    assert_ne!(vm.state_digest(), before);
    let aborted = txns.abort(&mut vm);
    assert_eq!((aborted.undo_records, aborted.state_restored), (4, true));
    assert_eq!(vm.state_digest(), before);
    assert!(txns.is_idle());
}

#[test]
fn a_change_behind_the_logs_back_is_noticed() {
    let (mut vm, mut txns) = (memory(), Transactions::new(16));
    txns.begin();
    set(&mut txns, &mut vm, 1, abi::PAGE_INACTIVE);
    // A graft-safe function with a bug: it changes without logging.
    vm.set_page_state(FrameNo(2), abi::PAGE_INACTIVE, txns.watch());
    assert!(!txns.abort(&mut vm).state_restored);
}

#[test]
fn a_childs_abort_leaves_its_parents_changes() {
    let (mut vm, mut txns) = (memory(), Transactions::new(16));
    let before = vm.state_digest();
    txns.begin();
    set(&mut txns, &mut vm, 0, abi::PAGE_WIRED);
    let parents = vm.state_digest();
    txns.begin();
    set(&mut txns, &mut vm, 0, abi::PAGE_INACTIVE);
    txns.log_commit(CommitRecord::WriteOut).expect("room");
    let child = txns.abort(&mut vm);
    assert_eq!((child.undo_records, child.state_restored), (1, true));
    assert_eq!(vm.state_digest(), parents);
    let parent = txns.abort(&mut vm);
    assert!(parent.state_restored);
    assert_eq!(vm.state_digest(), before);
    assert_eq!(txns.take_commit_record(), None);
}

#[test]
fn a_childs_commit_leaves_its_records_to_the_parent() {
    let (mut vm, mut txns) = (memory(), Transactions::new(16));
    let before = vm.state_digest();
    txns.begin();
    txns.begin();
    set(&mut txns, &mut vm, 3, abi::PAGE_INACTIVE);
    txns.log_commit(CommitRecord::WriteOut).expect("room");
    assert_eq!(txns.commit().undo_records, 1);
    assert_eq!(
        txns.take_commit_record(),
        None,
        "the parent may still abort"
    );
    let parent = txns.abort(&mut vm);
    assert_eq!((parent.undo_records, parent.state_restored), (1, true));
    assert_eq!(vm.state_digest(), before);
    assert!(txns.is_idle());
}

#[test]
fn acts_wait_for_the_outermost_commit() {
    let mut txns = Transactions::new(16);
    txns.begin();
    txns.log_commit(CommitRecord::WriteOut).expect("room");
    assert_eq!(txns.take_commit_record(), None);
    assert_eq!(txns.commit().commit_records, 1);
    assert_eq!(txns.take_commit_record(), Some(CommitRecord::WriteOut));
    assert_eq!(txns.take_commit_record(), None);
}

#[test]
fn logs_are_bounded() {
    let (vm, mut txns) = (memory(), Transactions::new(2));
    txns.begin();
    let record = vm.prepare_page_state(FrameNo(0), abi::PAGE_ACTIVE, 1);
    let record = record.expect("a legal state");
    assert_eq!(txns.log_undo(record), Ok(()));
    assert_eq!(txns.log_undo(record), Ok(()));
    assert_eq!(txns.log_undo(record), Err(LogFull));
    for _ in 0..COMMIT_RECORDS_MAX {
        assert_eq!(txns.log_commit(CommitRecord::WriteOut), Ok(()));
    }
    assert_eq!(txns.log_commit(CommitRecord::WriteOut), Err(LogFull));
}

#[test]
#[should_panic(expected = "nesting is bounded")]
fn nesting_is_bounded() {
    let mut txns = Transactions::new(1);
    for _ in 0..=NESTING_MAX {
        txns.begin();
    }
}

#[test]
fn numbers_are_never_reused() {
    let (mut vm, mut txns) = (memory(), Transactions::new(1));
    let first = txns.begin();
    txns.abort(&mut vm);
    let second = txns.begin();
    assert_eq!((first.number(), second.number()), (1, 2));
    assert_eq!(txns.next_id().number(), 3);
}
