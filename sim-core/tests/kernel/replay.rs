//! The same specification gives the same bytes, and verdicts stand in for what the CPU did.
use std::sync::Arc;

use sim_core::event::{AbortReason, Event, LogLevel};
use sim_core::run::RecordedVerdict;
use sim_core::workload::generate::disk_like;

use crate::harness::{example, graft, own, run, run_in_steps, small_trace, spec_with, sqlite};

#[test]
fn equal_runs_give_equal_bytes_however_they_are_stepped() {
    let object = example("database_victim.C");
    let spec = spec_with(&sqlite(), 1_128, &object);
    let whole = run_in_steps(spec.clone(), u64::MAX);
    for step in [1_000, 4_096, 70_001] {
        let stepped = run_in_steps(spec.clone(), step);
        assert_eq!(stepped.chunks, whole.chunks, "steps of {step}");
        assert_eq!(stepped.summary, whole.summary, "steps of {step}");
    }
}

#[test]
fn chunks_that_end_by_time_end_alike_however_the_run_is_stepped() {
    let trace = Arc::new(disk_like(600_000, 2_000, 300, 9).expect("a trace"));
    let spec = spec_with(&trace, 1_000, &example("default_victim.c"));
    let whole = run_in_steps(spec.clone(), u64::MAX);
    for step in [1 << 18, 99_991] {
        assert_eq!(run_in_steps(spec.clone(), step).chunks, whole.chunks);
    }
}

#[test]
fn a_verdict_is_applied_without_running_the_graft() {
    let trace = small_trace(1);
    for (name, reason) in [
        ("hostile/infinite_loop.c", AbortReason::Deadline),
        ("hostile/state_flipper.c", AbortReason::NullAccess),
        ("hostile/wild_write.c", AbortReason::WildWrite),
    ] {
        let mut spec = spec_with(&trace, 200, &example(name));
        let recorded = run(spec.clone());
        let verdicts = recorded.all(RecordedVerdict::from_event);
        assert_eq!(verdicts.len(), 1, "{name}");
        assert_eq!(verdicts[0].reason, reason, "{name}");
        // A graft that behaves: were it executed, nothing would be aborted.
        spec.grafts = vec![graft(
            "g",
            "vas_o::pick_victim",
            "db",
            &example("default_victim.c"),
        )];
        spec.verdicts = verdicts;
        let replayed = run(spec);
        let object = |event: &Event| matches!(event, Event::GraftAttached { .. });
        let differs = recorded.events.iter().zip(&replayed.events);
        let differs: Vec<_> = differs.filter(|(ours, theirs)| ours != theirs).collect();
        assert_eq!(recorded.events.len(), replayed.events.len(), "{name}");
        assert!(
            differs.iter().all(|(ours, _)| object(ours)),
            "{name}: {differs:?}"
        );
    }
}

#[test]
fn a_replay_with_its_verdicts_gives_the_same_bytes() {
    for name in ["hostile/infinite_loop.c", "hostile/state_flipper.c"] {
        let mut spec = spec_with(&small_trace(1), 200, &example(name));
        let recorded = run(spec.clone());
        spec.verdicts = recorded.all(RecordedVerdict::from_event);
        assert_eq!(run(spec).chunks, recorded.chunks, "{name}");
    }
    let mut spec = spec_with(&sqlite(), 1_128, &own("late_flipper.c"));
    let recorded = run(spec.clone());
    spec.verdicts = recorded.all(RecordedVerdict::from_event);
    assert_eq!(run(spec).chunks, recorded.chunks);
}

#[test]
fn decisions_of_the_kernel_are_no_verdicts() {
    let ran = run(spec_with(
        &small_trace(1),
        200,
        &example("hostile/bad_victim.c"),
    ));
    assert_eq!(ran.summary.counters.aborts, 1);
    assert_eq!(ran.all(RecordedVerdict::from_event), []);
}

#[test]
fn a_quiet_log_has_the_same_outcome_and_only_rare_events() {
    let mut spec = spec_with(&small_trace(1), 200, &example("victim.c"));
    let loud = run(spec.clone());
    spec.log = LogLevel::Lifecycle;
    let quiet = run(spec);
    assert_eq!(quiet.summary.counters, loud.summary.counters);
    assert_eq!(quiet.summary.state_digest, loud.summary.state_digest);
    assert!(matches!(
        quiet.events[..],
        [
            Event::RunStarted { .. },
            Event::GraftAttached { .. },
            Event::RunFinished { .. },
        ]
    ));
}
