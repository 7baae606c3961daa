//! Several processes share memory; a graft decides for its own.
use sim_core::config::ProcessConfig;
use sim_core::event::{Event, EvictionOutcome};
use sim_core::ids::VasId;
use sim_core::run::{RunSpec, Workload};

use crate::harness::{PICK_VICTIM, example, graft, own, run, run_in_steps, small_trace, spec};

fn three_processes() -> RunSpec {
    let mut spec = spec(&small_trace(1), 300);
    spec.kernel.quantum_references = 100;
    for (seed, name) in [(2, "web"), (3, "batch")] {
        let name = name.to_owned();
        spec.kernel
            .processes
            .push(ProcessConfig { name: name.clone() });
        spec.workloads.push(Workload {
            process: name,
            trace: small_trace(seed),
        });
    }
    spec
}

#[test]
fn processes_take_turns_and_the_run_is_deterministic() {
    let ran = run(three_processes());
    assert_eq!(ran.summary.counters.references, 60_000);
    assert_eq!(run_in_steps(three_processes(), 77).chunks, ran.chunks);
    let mut other_quantum = three_processes();
    other_quantum.kernel.quantum_references = 5_000;
    assert_ne!(run(other_quantum).chunks, ran.chunks, "turns matter");
    let mut reordered = three_processes();
    reordered.workloads.reverse();
    assert_eq!(
        run(reordered).chunks,
        ran.chunks,
        "the configuration gives the order"
    );
}

#[test]
fn a_graft_decides_only_about_pages_of_its_own_process() {
    let mut spec = three_processes();
    spec.grafts = vec![graft("g", PICK_VICTIM, "web", &example("victim.c"))];
    let ran = run(spec);
    assert_eq!(ran.summary.counters.aborts, 0);
    let asked_for = ran.all(|event| match event {
        Event::Evicted(it) => Some((it.vas.number(), it.txn.is_some())),
        _ => None,
    });
    assert!(asked_for.iter().all(|&(vas, asked)| asked == (vas == 1)));
    assert!(asked_for.iter().any(|&(vas, _)| vas == 1));
}

#[test]
fn what_a_graft_does_costs_only_its_own_process() {
    // The kernel decides whose page goes: a foolish graft must not shift faults to others (LRU-SP).
    let faults_of = |graft_of_web: Option<&str>| {
        let mut spec = three_processes();
        let object = graft_of_web.map(own);
        spec.grafts = object
            .iter()
            .map(|it| graft("g", PICK_VICTIM, "web", it))
            .collect();
        let ran = run(spec);
        let evicted = ran.all(|event| match event {
            Event::Evicted(it) => Some((it.vas, it.outcome)),
            _ => None,
        });
        let overrides = |(_, outcome): &&(VasId, _)| *outcome == EvictionOutcome::Override;
        let of = |number: u32| {
            evicted
                .iter()
                .filter(|(vas, _)| vas.number() == number)
                .count()
        };
        (
            of(0),
            of(1),
            of(2),
            evicted.iter().filter(overrides).count(),
        )
    };
    let plain = faults_of(None);
    let foolish = faults_of(Some("newest.c"));
    assert!(foolish.3 > 1000, "it overrides: {foolish:?}");
    assert!(
        foolish.1 > plain.1,
        "web pays: {foolish:?} against {plain:?}"
    );
    for (ours, theirs) in [(foolish.0, plain.0), (foolish.2, plain.2)] {
        assert!(
            ours <= theirs + theirs / 20,
            "{foolish:?} against {plain:?}"
        );
    }
}
