//! Graft-callable functions: what they answer, and what they refuse.
use sim_core::config::ProcessConfig;
use sim_core::event::Event;
use sim_core::run::Workload;

use crate::harness::{Ran, own, run, small_trace, spec_with, writing_trace};

/// Asserts that no check of the graft failed; a failed one returns its number.
fn assert_no_check_failed(ran: &Ran) {
    let failed = ran.all(|event| match event {
        Event::TxnAborted { fault, .. } => Some(fault.clone()),
        _ => None,
    });
    assert_eq!(failed, Vec::<String>::new());
    assert!(
        ran.summary.counters.invocations > 1000,
        "it was asked often"
    );
}

#[test]
fn what_a_graft_reads_and_what_the_kernel_answers_agree() {
    let ran = run(spec_with(&writing_trace(1), 100, &own("agree.c")));
    assert_no_check_failed(&ran);
}

#[test]
fn a_heap_grows_to_its_limit_and_keeps_what_is_in_it() {
    let mut spec = spec_with(&small_trace(1), 200, &own("grows.c"));
    spec.kernel.graft_limits.heap_bytes_max = 64 * 4096 - 1;
    assert_no_check_failed(&run(spec));
}

#[test]
fn a_graft_allocates_as_on_any_system_until_its_default_limit() {
    let spec = spec_with(&small_trace(1), 200, &own("allocates.c"));
    assert_eq!(spec.kernel.graft_limits.heap_bytes_max, 1 << 20);
    assert_no_check_failed(&run(spec));
}

#[test]
fn a_graft_without_heap_is_refused_every_byte_of_it() {
    let mut spec = spec_with(&small_trace(1), 200, &own("grows.c"));
    spec.kernel.graft_limits.heap_bytes_max = 0;
    let aborted = run(spec).all(|event| match event {
        Event::TxnAborted { fault, .. } => Some(fault.clone()),
        _ => None,
    });
    assert_eq!(aborted, ["returned 1001, which is no status of this point"]);
}

#[test]
fn what_is_not_the_callers_is_refused() {
    let mut spec = spec_with(&small_trace(1), 200, &own("refused.c"));
    let name = "other".to_owned();
    spec.kernel
        .processes
        .push(ProcessConfig { name: name.clone() });
    spec.workloads.push(Workload {
        process: name,
        trace: small_trace(2),
    });
    assert_no_check_failed(&run(spec));
}

#[test]
fn page_states_that_a_graft_sets_last_and_steer_the_clock() {
    let ran = run(spec_with(&small_trace(1), 200, &own("states.c")));
    assert_no_check_failed(&ran);
    let undo_records = ran.all(|event| match event {
        Event::TxnCommitted(commit) => Some(commit.undo_records),
        _ => None,
    });
    assert!(undo_records.iter().any(|&records| records > 0));
}
