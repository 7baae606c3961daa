//! Hostile and broken grafts: what each tries fails, and the kernel goes on as if without it.
use std::sync::Arc;

use sim_core::config::ProcessConfig;
use sim_core::event::{AbortReason, Event, Eviction, EvictionOutcome};
use sim_core::run::{RunSpec, Workload};

use crate::harness::{
    PICK_VICTIM, Ran, example, graft, own, run, small_trace, spec, spec_with, sqlite,
};

const FRAMES: u32 = 200;

/// The one abort of a run, with what it said.
fn abort_of(ran: &Ran) -> (AbortReason, String) {
    let aborts = ran.all(|event| match event {
        Event::TxnAborted {
            reason,
            fault,
            state_restored,
            ..
        } => {
            assert!(state_restored, "everything is put back");
            Some((*reason, fault.clone()))
        }
        _ => None,
    });
    assert_eq!(aborts.len(), 1, "the graft is gone after its first abort");
    aborts.into_iter().next().expect("one abort")
}

/// Asserts that a hostile graft of `db` is stopped for `reason` and changes nothing else.
fn assert_stopped(name: &str, object: &Arc<[u8]>, reason: AbortReason) {
    let trace = small_trace(1);
    let plain = run(spec(&trace, FRAMES));
    let hostile = run(spec_with(&trace, FRAMES, object));
    let (got, fault) = abort_of(&hostile);
    assert_eq!(got, reason, "{name}: {fault}");
    assert!(!fault.is_empty(), "{name}: the abort says what happened");
    assert_eq!(hostile.summary.removed_grafts, ["g"], "{name}");
    let (ours, theirs) = (hostile.summary.counters, plain.summary.counters);
    assert_eq!(ours.evictions, theirs.evictions, "{name}");
    assert_eq!(ours.faults, theirs.faults, "{name}");
    assert_eq!(
        hostile.summary.state_digest, plain.summary.state_digest,
        "{name}"
    );
    assert_default_served(name, &hostile);
}

/// Asserts that the eviction for which the graft was asked was served by the default at once.
fn assert_default_served(name: &str, ran: &Ran) {
    let abort = |event: &Event| matches!(event, Event::TxnAborted { .. });
    let at = ran.events.iter().position(abort).expect("an abort");
    let [
        Event::TxnAborted { reference, txn, .. },
        Event::GraftRemoved { .. },
        Event::Evicted(Eviction {
            reference: evicted_at,
            txn: evicted_for,
            outcome: EvictionOutcome::Default,
            ..
        }),
    ] = &ran.events[at..at + 3]
    else {
        panic!("{name}: {:?}", &ran.events[at..at + 3]);
    };
    assert_eq!(
        (evicted_at, *evicted_for),
        (reference, Some(*txn)),
        "{name}"
    );
}

#[test]
fn every_hostile_example_is_stopped_for_its_reason() {
    let cases = [
        ("bad_status", AbortReason::BadAnswer),
        ("bad_victim", AbortReason::BadAnswer),
        ("misaligned_victim", AbortReason::BadAnswer),
        ("wire_everything", AbortReason::BadAnswer),
        ("infinite_loop", AbortReason::Deadline),
        ("wild_write", AbortReason::WildWrite),
        ("wild_read", AbortReason::WildRead),
        ("far_write", AbortReason::WildWrite),
        ("null_call", AbortReason::NullCall),
        ("stack_overflow", AbortReason::StackOverflow),
        ("state_flipper", AbortReason::NullAccess),
        ("log_flood", AbortReason::UndoLogFull),
        ("divide_by_zero", AbortReason::Arithmetic),
    ];
    for (name, reason) in cases {
        let object = example(&format!("hostile/{name}.c"));
        assert_stopped(name, &object, reason);
    }
}

#[test]
fn jumps_that_are_no_calls_are_bad_control_transfers() {
    for name in ["jump_into_data", "jump_into_kernel"] {
        let object = example(&format!("hostile/{name}.c"));
        let ran = run(spec_with(&small_trace(1), FRAMES, &object));
        let (reason, fault) = abort_of(&ran);
        let possible = [AbortReason::BadControlTransfer, AbortReason::WildRead];
        assert!(possible.contains(&reason), "{name}: {reason}: {fault}");
    }
}

#[test]
fn a_graft_that_never_finds_a_victim_costs_nobody_a_frame() {
    let trace = small_trace(2);
    let plain = run(spec(&trace, FRAMES));
    let hoard = run(spec_with(&trace, FRAMES, &example("hostile/hoard.c")));
    let counters = hoard.summary.counters;
    assert_eq!(counters.not_found, counters.evictions);
    assert_eq!(counters.aborts, 0);
    assert_eq!(counters.faults, plain.summary.counters.faults);
    assert_eq!(hoard.summary.state_digest, plain.summary.state_digest);
}

/// Two processes over the same pages, of which `db` has the graft.
fn two_processes(object: Option<&Arc<[u8]>>) -> RunSpec {
    let mut spec = spec(&small_trace(3), FRAMES);
    let other = "other".to_owned();
    spec.kernel.processes.push(ProcessConfig {
        name: other.clone(),
    });
    spec.workloads.push(Workload {
        process: other,
        trace: small_trace(4),
    });
    spec.grafts = object
        .map(|it| graft("g", PICK_VICTIM, "db", it))
        .into_iter()
        .collect();
    spec
}

#[test]
fn a_page_of_another_process_is_no_answer() {
    let ran = run(two_processes(Some(&example("hostile/foreign_victim.c"))));
    let (reason, fault) = abort_of(&ran);
    assert_eq!(reason, AbortReason::BadAnswer);
    assert!(
        fault.contains("no resident page of its address space"),
        "{fault}"
    );
    let plain = run(two_processes(None));
    assert_eq!(ran.summary.state_digest, plain.summary.state_digest);
}

#[test]
fn wiring_the_proposal_does_not_pass_the_eviction_on_to_others() {
    let ran = run(two_processes(Some(&own("passes_on.c"))));
    let (reason, fault) = abort_of(&ran);
    assert_eq!(reason, AbortReason::BadAnswer);
    let expected = "wired the page that the kernel proposed and gave no other";
    assert_eq!(fault, expected);
    let plain = run(two_processes(None));
    assert_eq!(ran.summary.state_digest, plain.summary.state_digest);
}

#[test]
fn what_a_removed_graft_wired_is_given_back() {
    // It wires what it is offered as long as it may, and misbehaves at its 300th invocation.
    let mut spec = spec_with(&small_trace(1), 40, &own("hoards_frames.c"));
    spec.kernel.graft_limits.wired_pages_max = 1_000;
    let ran = run(spec);
    assert_eq!(abort_of(&ran).0, AbortReason::BadAnswer);
    let failed = ran.summary.counters.failed_faults;
    assert_eq!(
        failed, 0,
        "half of memory at most is wired, so faults are served"
    );
    let undone = ran.all(|event| match event {
        Event::TxnCommitted(commit) => Some(commit.undo_records),
        _ => None,
    });
    assert_eq!(undone.iter().sum::<u32>(), 20, "it wired half of memory");
    // Were they still wired, 20 frames would serve the rest of the run.
    let plain = run(spec_plain(40)).summary.counters.faults;
    let halved = run(spec_plain(20)).summary.counters.faults;
    let faults = ran.summary.counters.faults;
    assert!(
        faults < plain + (halved - plain) / 2,
        "{plain} {faults} {halved}"
    );
}

fn spec_plain(frames: u32) -> RunSpec {
    spec(&small_trace(1), frames)
}

#[test]
fn too_many_calls_of_the_kernel_end_the_invocation() {
    let mut spec = spec_with(&small_trace(1), FRAMES, &own("busy.c"));
    spec.kernel.graft_limits.host_calls_max = 100;
    let (reason, fault) = abort_of(&run(spec));
    assert_eq!(reason, AbortReason::HostCallLimit);
    assert!(
        fault.starts_with("more calls of the kernel than allowed"),
        "{fault}"
    );
}

#[test]
fn changing_states_and_faulting_leaves_what_faulting_at_once_leaves() {
    let trace = sqlite();
    let late = |name: &str| run(spec_with(&trace, 1_128, &own(name)));
    let (flips, faults) = (late("late_flipper.c"), late("late_fault.c"));
    assert_eq!(abort_of(&flips).0, AbortReason::NullAccess);
    assert_eq!(abort_of(&faults).0, AbortReason::NullAccess);
    let undone = flips.all(|event| match event {
        Event::TxnAborted { undo_records, .. } => Some(*undo_records),
        _ => None,
    });
    assert!(undone[0] > 0, "there was something to undo");
    assert_eq!(flips.summary.counters.commits, 500);
    assert_eq!(flips.summary.counters, faults.summary.counters);
    assert_eq!(flips.summary.state_digest, faults.summary.state_digest);
}
