//! Grafts that are reached from inside grafts: transactions in transactions.
use std::sync::Arc;

use sim_core::event::{AbortReason, Commit, Event, Eviction, EvictionOutcome};
use sim_core::run::{RecordedVerdict, RunSpec};

use crate::harness::{
    AWAKE_PAGEDAEMON, Ran, example, graft, own, run, small_trace, spec_with, writing_trace,
};

const FRAMES: u32 = 100;

/// A run of `db` with one graft for its victims and one for the pageout daemon.
fn nested(victim: &Arc<[u8]>, daemon: &str) -> RunSpec {
    let mut spec = spec_with(&writing_trace(4), FRAMES, victim);
    let daemon = own(daemon);
    spec.grafts
        .push(graft("daemon", AWAKE_PAGEDAEMON, "kernel", &daemon));
    spec
}

fn commits(ran: &Ran) -> Vec<Commit> {
    ran.all(|event| match event {
        Event::TxnCommitted(commit) => Some(*commit),
        _ => None,
    })
}

fn evictions(ran: &Ran) -> Vec<Eviction> {
    ran.all(|event| match event {
        Event::Evicted(eviction) => Some(*eviction),
        _ => None,
    })
}

/// The aborts of a run, every one of which put the state back.
fn aborts(ran: &Ran) -> Vec<(AbortReason, bool, u32)> {
    ran.all(|event| match event {
        Event::TxnAborted {
            reason,
            parent,
            children,
            state_restored,
            fault,
            ..
        } => {
            assert!(state_restored, "{fault}");
            Some((*reason, parent.is_some(), *children))
        }
        _ => None,
    })
}

#[test]
fn a_pageout_asks_the_owners_graft_in_a_transaction_inside_the_callers() {
    let ran = run(nested(&own("wires_and_keeps.c"), "pageout.c"));
    assert_eq!(aborts(&ran), []);
    let commits = commits(&ran);
    let children: Vec<&Commit> = commits.iter().filter(|it| it.parent.is_some()).collect();
    assert!(children.len() > 100, "{} children", children.len());
    assert!(children.iter().any(|it| it.undo_records > 0));
    let mut acts = 0;
    for child in &children {
        let parent = commits.iter().find(|it| Some(it.txn) == child.parent);
        let parent = parent.expect("every parent committed");
        let siblings = children.iter().filter(|it| it.parent == Some(parent.txn));
        let left: u32 = siblings.clone().map(|it| it.undo_records).sum();
        assert_eq!((parent.commit_records, siblings.count()), (3, 3));
        assert!(
            parent.undo_records >= left + 3,
            "it has its children's records"
        );
        acts += 1;
    }
    let nested = |it: &&Eviction| children.iter().any(|child| Some(child.txn) == it.txn);
    let evictions = evictions(&ran);
    let carried_out = evictions.iter().filter(nested);
    assert_eq!(
        carried_out.clone().count(),
        acts,
        "each act was carried out once"
    );
    let overridden = |it: &Eviction| it.outcome == EvictionOutcome::Override;
    assert!(carried_out.clone().any(overridden));
    assert!(
        carried_out.clone().any(|it| it.modified),
        "some had to be written"
    );
    assert_eq!(ran.summary.counters.evictions, evictions.len() as u64);
}

#[test]
fn a_childs_abort_leaves_its_parent_alive() {
    for name in ["hostile/bad_victim.c", "hostile/state_flipper.c"] {
        let hostile = example(name);
        let mut spec = nested(&hostile, "pageout.c");
        // The daemon asks first: frames are free until it is there to keep them so.
        spec.kernel.free_target = 1;
        spec.kernel.free_min = 1;
        let ran = run(spec);
        let aborts = aborts(&ran);
        assert_eq!(aborts.len(), 1, "{name}");
        assert!(aborts[0].1, "{name}: it ran inside another transaction");
        assert_eq!(ran.summary.removed_grafts, ["g"], "{name}");
        let parent = ran.all(|event| match event {
            Event::TxnAborted { parent, .. } => *parent,
            _ => None,
        });
        let commits = commits(&ran);
        let parent = commits.iter().find(|it| it.txn == parent[0]);
        assert_eq!(parent.expect("it committed").commit_records, 3, "{name}");
        assert!(
            commits.iter().all(|it| it.parent.is_none()),
            "{name}: no other child"
        );
    }
}

#[test]
fn a_parents_abort_undoes_what_its_children_committed() {
    for victim in ["default_victim.c", "victim.c"] {
        let victim = example(victim);
        let plain = run(spec_with(&writing_trace(4), FRAMES, &victim));
        let ran = run(nested(&victim, "pageout_then_fault.c"));
        assert_eq!(aborts(&ran), [(AbortReason::NullAccess, false, 8)]);
        assert_eq!(ran.summary.removed_grafts, ["daemon"]);
        let children = commits(&ran)
            .iter()
            .filter(|it| it.parent.is_some())
            .count();
        assert_eq!(children, 8);
        // What was undone leaves no trace but in counters: the rest of the run is the same.
        let key = |it: &Eviction| (it.reference, it.page, it.proposed, it.outcome, it.modified);
        let ours: Vec<_> = evictions(&ran).iter().map(key).collect();
        let theirs: Vec<_> = evictions(&plain).iter().map(key).collect();
        assert_eq!(ours, theirs);
        assert_eq!(ran.summary.state_digest, plain.summary.state_digest);
    }
}

#[test]
fn what_one_transaction_evicts_is_bounded() {
    let ran = run(nested(&example("default_victim.c"), "pageout_all.c"));
    assert_eq!(aborts(&ran), []);
    let most = commits(&ran).iter().map(|it| it.commit_records).max();
    assert_eq!(most, Some(64));
    let mut scarce = nested(&example("default_victim.c"), "pageout_all.c");
    scarce.kernel.swap_pages = 30;
    let ran = run(scarce);
    assert_eq!(aborts(&ran), []);
    assert!(ran.summary.counters.failed_faults > 0, "swap space ran out");
}

#[test]
fn a_replay_repeats_what_began_inside_an_aborted_transaction() {
    for (victim, verdicts) in [
        // The time that a child takes counts against its parent too: both miss their deadlines.
        (example("hostile/infinite_loop.c"), 2),
        // Its memory changed inside the aborted transaction, and shows in what it does later.
        (own("wires_and_keeps.c"), 1),
        (own("newest_once.c"), 1),
    ] {
        let mut spec = nested(&victim, "pageout_then_fault.c");
        (spec.kernel.free_min, spec.kernel.free_target) = (1, 1);
        let recorded = run(spec.clone());
        spec.verdicts = recorded.all(RecordedVerdict::from_event);
        assert_eq!(spec.verdicts.len(), verdicts);
        assert_eq!(run(spec).chunks, recorded.chunks);
    }
}

#[test]
fn lru_proposals_nest_too() {
    let mut spec = nested(&own("wires_and_keeps.c"), "pageout.c");
    spec.kernel.policy = sim_core::config::EvictionPolicy::Lru;
    spec.workloads[0].trace = small_trace(3);
    let ran = run(spec);
    assert_eq!(aborts(&ran), []);
    assert!(commits(&ran).iter().any(|it| it.parent.is_some()));
}
