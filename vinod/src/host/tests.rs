//! Tests of the host without a daemon around it: what must hold between two of its steps.

use std::path::Path;

use super::{supervisor::Supervisor, *};
use crate::store::{Digest, GraftRecord, GraftState, RunState, TraceKind, TraceRecord};

/// Frames of the kernel that tests create.
const FRAMES: u32 = 8;

fn open(dir: &Path, bytes_max: Option<u64>) -> Arc<Host> {
    let store = Store::open(dir, bytes_max).expect("the store opens");
    let host = Host::open(store).expect("the host opens");
    let draft = KernelDraft {
        frames: FRAMES,
        processes: vec!["p".to_owned()],
        ..KernelDraft::default()
    };
    host.create_kernel("k", draft).expect("a kernel");
    host
}

fn import(host: &Host, name: &str, pages: u64) -> Result<TraceRecord, HostError> {
    let text: String = (0..pages).map(|page| format!("{page}\n")).collect();
    let mut file = host.store.blobs().create()?;
    file.append(text.as_bytes())?;
    host.import_trace(ImportTrace {
        name: name.to_owned(),
        file_name: "t.txt".to_owned(),
        kind: Some(TraceKind::Pages),
        file,
    })
}

fn submit(host: &Arc<Host>) -> Result<RunRecord, HostError> {
    host.submit_run(SubmitRun {
        kernel: "k".to_owned(),
        workloads: vec![("p".to_owned(), "t".to_owned())],
        log: crate::store::LogDetail::Evictions,
        seed: 0,
        without_grafts: false,
        request_id: String::new(),
    })
}

#[test]
fn a_graft_is_attached_together_with_its_object() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let host = open(dir.path(), None);
    // As if the last run that used the same object had been deleted during verification.
    let object = b"an object";
    let graft = GraftRecord {
        kernel: "k".to_owned(),
        name: "g".to_owned(),
        process: "p".to_owned(),
        point: "vas_o::pick_victim".to_owned(),
        state: GraftState::Loaded,
        object: Digest::of(object),
        size_bytes: object.len() as u64,
        text_bytes: 0,
        read_protected: true,
        imports: Vec::new(),
        created_ms: 0,
        removal: None,
        request_id: String::new(),
    };
    let asked = Digest::of(b"asked");
    let graft = host.attach(graft, asked.clone(), object).expect("attached");
    assert_eq!(
        host.store.blobs().read(&graft.object).expect("stored"),
        object
    );
    // The point is taken now: what is refused leaves nothing behind.
    let mut late = graft.clone();
    late.object = Digest::of(b"late");
    host.attach(late, asked, b"late")
        .expect_err("the point is taken");
    assert!(!host.store.blobs().contains(&Digest::of(b"late")));
}

#[test]
fn a_deleted_trace_gives_its_room_back() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let used = {
        let host = open(dir.path(), None);
        host.store.space().scan().expect("readable")
    };
    let host = open(dir.path(), Some(used + (8 << 20)));
    // 3.6 MiB on disk, for which 5.4 MiB are claimed.
    import(&host, "t", 300_000).expect("there is room");
    let room = host.store.space().check(4 << 20);
    room.expect_err("the trace has taken it");
    host.delete_trace("t").expect("nobody uses it");
    let room = host.store.space().check(4 << 20);
    room.expect("6 of nearly 8 MiB");
}

#[test]
fn places_in_the_queue_are_reserved_before_a_run_is_recorded() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let host = open(dir.path(), None);
    import(&host, "t", 4).expect("a trace");
    let reserve = || host.with_supervisor("k", |it: &Supervisor| it.reserve("k"));
    let reserved = (0..).take_while(|_| reserve().is_ok()).count();
    assert_eq!(reserved, supervisor::RUNS_QUEUED_MAX);
    let error = submit(&host).expect_err("no place is left");
    assert!(
        error.to_string().contains("64 runs wait for kernel"),
        "{error}"
    );
    let error = host
        .delete_kernel("k")
        .expect_err("somebody is about to submit");
    assert!(
        error.to_string().contains("a run that is not finished"),
        "{error}"
    );
    assert!(host.runs(&RunList::default()).expect("readable").is_empty());
    host.shut_down();
}

#[test]
fn a_failed_run_whose_durable_events_are_gone_is_damaged() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let host = open(dir.path(), None);
    import(&host, "t", 4).expect("a trace");
    let mut run = submit(&host).expect("a run");
    host.shut_down();
    run.state = RunState::Failed;
    run.started_ms = Some(1);
    run.events_durable = 1_000;
    host.put_run(&run).expect("writable");
    let error = host.replay_run(&run.id(), |_, _| true);
    let error = error.expect_err("events are missing").to_string();
    assert!(error.contains("1000"), "{error}");
}
