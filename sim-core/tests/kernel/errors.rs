//! What cannot be attached is refused with a reason and what to do.
use sim_core::graft::{GraftRejected, inspect_graft};
use sim_core::ids::TxnId;
use sim_core::run::{RecordedVerdict, Run, RunError, RunSpec};
use vino_sandbox::Diagnosis;

use crate::harness::{
    PICK_VICTIM, STOP_PAGEOUT, engine, example, graft, own, small_trace, spec, spec_with,
    uninstrumented,
};

fn refuse(spec: RunSpec) -> RunError {
    Run::new(spec, engine()).expect_err("must be refused")
}

fn base() -> RunSpec {
    spec_with(&small_trace(1), 100, &example("default_victim.c"))
}

#[test]
fn contradictions_in_a_specification_are_named() {
    let mut unknown = base();
    unknown.grafts[0].process = "dbase".to_owned();
    assert_eq!(
        refuse(unknown).to_string(),
        "unknown process \"dbase\": the kernel has db"
    );
    let mut point = base();
    point.grafts[0].point = "vas_o::pick_victims".to_owned();
    assert_eq!(
        refuse(point).to_string(),
        "graft \"g\": unknown graft point \"vas_o::pick_victims\"; \
         did you mean \"vas_o::pick_victim\"?"
    );
    let mut taken = base();
    taken
        .grafts
        .push(graft("h", PICK_VICTIM, "db", &own("busy.c")));
    assert_eq!(
        refuse(taken).to_string(),
        "graft point vas_o::pick_victim of db is taken by graft \"g\": unload it first"
    );
    let mut scope = base();
    scope.grafts[0].process = "kernel".to_owned();
    assert_eq!(
        refuse(scope).to_string(),
        "graft \"g\": vas_o::pick_victim is attached for one process, not for \"kernel\""
    );
    let mut global = base();
    global.grafts = vec![graft("g", STOP_PAGEOUT, "db", &own("never_stop.c"))];
    assert!(
        refuse(global)
            .to_string()
            .contains("is attached for the kernel, not for \"db\"")
    );
    let mut frames = base();
    frames.kernel.frames = 0;
    assert!(refuse(frames).to_string().starts_with("zero frames"));
    let mut idle = base();
    idle.workloads.clear();
    assert!(refuse(idle).to_string().starts_with("no workload"));
    let mut twice = base();
    twice.workloads.push(twice.workloads[0].clone());
    assert!(refuse(twice).to_string().contains("has two workloads"));
}

#[test]
fn two_verdicts_of_one_transaction_are_refused() {
    let mut spec = base();
    let verdict = |number: u64| RecordedVerdict {
        txn: TxnId::new(number).expect("not 0"),
        reason: sim_core::event::AbortReason::Deadline,
        fault: String::new(),
        children: 0,
        undo_records: 0,
    };
    spec.verdicts = vec![verdict(2), verdict(2)];
    assert!(
        refuse(spec)
            .to_string()
            .starts_with("two verdicts of txn 2")
    );
}

#[test]
fn an_object_of_another_point_lists_what_it_defines() {
    let object = own("never_stop.c");
    let spec = spec_with(&small_trace(1), 100, &object);
    let RunError::Rejected { reason, .. } = refuse(spec) else {
        panic!("a rejection is expected");
    };
    let message = reason.to_string();
    assert!(
        message.contains("does not define vas_o::pick_victim"),
        "{message}"
    );
    assert!(message.contains("pm_mgr__stop_pageout"), "{message}");
    let report = inspect_graft(&object, Some(STOP_PAGEOUT), true).expect("a good graft");
    assert_eq!(report.points.len(), 1);
}

#[test]
fn two_definitions_of_a_point_are_refused() {
    let error = inspect_graft(&own("twice.C"), Some(PICK_VICTIM), true);
    let Err(GraftRejected::TwoDefinitions { point, .. }) = error else {
        panic!("{error:?}");
    };
    assert_eq!(point, PICK_VICTIM);
}

#[test]
fn a_function_that_no_graft_may_call_is_named_with_the_nearest() {
    let error = inspect_graft(&own("calls_out.c"), Some(PICK_VICTIM), true);
    let message = error.expect_err("undefined symbols").to_string();
    assert!(message.contains("getenv"), "{message}");
    let near = "coremap_entry_o__get_pagestates (the nearest graft-callable function is \
                coremap_entry_o::get_pagestate)";
    assert!(message.contains(near), "{message}");
}

#[test]
fn an_object_that_misfit_never_saw_is_not_run() {
    let object = uninstrumented("busy.c");
    let error = inspect_graft(&object, Some(PICK_VICTIM), true).expect_err("not safe");
    let GraftRejected::Verify(rejection) = &error else {
        panic!("{error}");
    };
    assert_eq!(rejection.diagnosis, Diagnosis::NotInstrumented);
    let refused = refuse(spec_with(&small_trace(1), 100, &object));
    assert!(matches!(refused, RunError::Rejected { .. }), "{refused}");
}

#[test]
fn a_good_graft_is_described() {
    let report = inspect_graft(&own("agree.c"), None, true).expect("a good graft");
    let points: Vec<&str> = report
        .points
        .iter()
        .map(|point| point.info().name)
        .collect();
    assert_eq!(points, [PICK_VICTIM]);
    assert!(report.imports.contains(&"as_o::deref_all"), "{report:?}");
    assert!(report.text_bytes > 0 && report.text_bytes.is_multiple_of(4096));
    assert!(Run::new(spec(&small_trace(1), 10), engine()).is_ok());
}
