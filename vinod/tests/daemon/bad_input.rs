//! What the daemon says to bad input: code, reason and message of each refusal.

use super::bench::{
    Bench, POINT, PROCESS, Protection, build, build_example, config, cyclic, kernel_config, spec,
};
use tonic::Code;
use vino_client::{CallError, Client, GraftUpload};
use vino_proto::v1::{
    EvictionPolicy, KernelConfig, LoadGraftMetadata, LoadGraftRequest, TraceFormat,
    graft_rejection::Diagnosis, grafts_client::GraftsClient, load_graft_request::Part,
};
use vinod::Daemon;

/// Checks a refusal: its code, its reason and a part of its message.
fn assert_refused<T: std::fmt::Debug>(
    result: Result<T, CallError>,
    code: Code,
    reason: &str,
    message: &str,
) -> CallError {
    let error = result.expect_err("it must be refused");
    assert_eq!(error.code(), code, "{error}");
    assert_eq!(error.reason().as_deref(), Some(reason), "{error}");
    assert!(error.message().contains(message), "{error}");
    error
}

const GRAFT: &str = r#"
#include "graft-support.h"
status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed,
                            coremap_entry_o **my_choice) {
    (void)self;
    (void)opt_pages;
    *my_choice = proposed;
    return SUCCESS;
}
"#;

/// Has loads that a compiler must keep, so that read protection makes a difference.
const READING_GRAFT: &str = r#"
#include "graft-support.h"
static volatile int table[16];
status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed,
                            coremap_entry_o **my_choice) {
    (void)self;
    *my_choice = list_o__first(opt_pages) != NULL && table[(unsigned long)proposed & 15]
                     ? (coremap_entry_o *)0 : proposed;
    return SUCCESS;
}
"#;

#[tokio::test]
async fn objects_that_are_no_grafts_are_refused_with_their_fault() {
    let bench = Bench::start().await;
    bench.create_kernel("k", 16).await;
    let object = build(GRAFT, Protection::All);
    let invalid = Code::InvalidArgument;

    let text = bench.load("k", "g", b"int main() {}").await;
    assert_refused(text, invalid, "GRAFT_MALFORMED", "ELF");
    let cut = bench.load("k", "g", &object[..object.len() / 2]).await;
    assert_refused(cut, invalid, "GRAFT_MALFORMED", "graft rejected: ");
    let mut elf32 = object.clone();
    elf32[4] = 1;
    let elf32 = bench.load("k", "g", &elf32).await;
    assert_refused(elf32, invalid, "GRAFT_MALFORMED", "32-bit");

    let undefined = GRAFT.replace(
        "*my_choice = proposed;",
        "coremap_entry_o__set_pagestat(1);",
    );
    let undefined = undefined.replace(
        "status_t vas_o",
        "int coremap_entry_o__set_pagestat(int);\nstatus_t vas_o",
    );
    let undefined = bench
        .load("k", "g", &build(&undefined, Protection::All))
        .await;
    let message = "coremap_entry_o__set_pagestat";
    let error = assert_refused(undefined, invalid, "GRAFT_SYMBOL_UNRESOLVED", message);
    assert!(
        error.message().contains("set_pagestate"),
        "the nearest name: {error}"
    );

    let elsewhere = GRAFT.replace("vas_o__pick_victim", "my_function");
    let elsewhere = bench
        .load("k", "g", &build(&elsewhere, Protection::All))
        .await;
    let message = "does not define vas_o::pick_victim";
    assert_refused(elsewhere, invalid, "GRAFT_POINT_MISSING", message);

    assert!(
        bench
            .client
            .grafts(Some("k"))
            .await
            .expect("it is listed")
            .is_empty()
    );
    bench.stop().await;
}

#[tokio::test]
async fn two_definitions_of_the_point_are_refused() {
    let bench = Bench::start().await;
    bench.create_kernel("k", 16).await;
    let mangled = "_ZN5vas_o11pick_victimEP6list_oI15coremap_entry_oES1_PS1_";
    let second = format!("{GRAFT}\nint {mangled}(void) {{ return 0; }}\n");
    let result = bench.load("k", "g", &build(&second, Protection::All)).await;
    let message = "vas_o::pick_victim is defined twice";
    assert_refused(
        result,
        Code::InvalidArgument,
        "GRAFT_DEFINED_TWICE",
        message,
    );
    bench.stop().await;
}

#[tokio::test]
async fn uninstrumented_grafts_are_refused_with_the_violations() {
    let bench = Bench::start().await;
    bench.create_kernel("k", 16).await;
    let raw = bench.load("k", "g", &build(GRAFT, Protection::None)).await;
    let reason = "GRAFT_VERIFY_FAILED";
    let error = assert_refused(raw, Code::InvalidArgument, reason, "not instrumented");
    let rejection = error.rejection().expect("the violations travel along");
    assert_eq!(rejection.diagnosis(), Diagnosis::NotInstrumented);
    assert!(rejection.total >= rejection.violations.len() as u64);
    let mut violations = rejection.violations.iter();
    let violation = violations.find(|violation| violation.symbol.contains("pick_victim"));
    let violation = violation.expect("the graft itself breaks rules");
    assert!(violation.rule.starts_with('R') && !violation.rule_text.is_empty());
    assert!(!violation.instruction.is_empty() && !violation.advice.is_empty());
    bench.stop().await;
}

#[tokio::test]
async fn grafts_without_read_protection_need_a_kernel_that_accepts_them() {
    let bench = Bench::start().await;
    bench.create_kernel("strict", 16).await;
    let object = build(READING_GRAFT, Protection::AllButReads);
    let refused = bench.load("strict", "g", &object).await;
    let reason = "GRAFT_VERIFY_FAILED";
    let error = assert_refused(refused, Code::InvalidArgument, reason, "-r");
    let rejection = error.rejection().expect("the violations travel along");
    assert_eq!(rejection.diagnosis(), Diagnosis::WithoutReadProtection);

    let lenient = KernelConfig {
        accept_without_read_protection: true,
        ..kernel_config(16)
    };
    bench
        .client
        .create_kernel("lenient", lenient)
        .await
        .expect("it is created");
    let graft = bench
        .load("lenient", "g", &object)
        .await
        .expect("it is accepted there");
    assert!(!graft.read_protected, "and the record says so");
    bench.stop().await;
}

#[tokio::test]
async fn names_that_do_not_exist_are_answered_with_those_that_do() {
    let bench = Bench::start().await;
    bench.create_kernel("k", 16).await;
    bench.import("loop", cyclic(1)).await;
    let missing = Code::NotFound;
    let object = build(GRAFT, Protection::All);

    let upload = |kernel: &str, process: &str, point: &str| GraftUpload {
        kernel: kernel.to_owned(),
        process: process.to_owned(),
        point: point.to_owned(),
        name: "g".to_owned(),
    };
    let client = &bench.client;
    let result = client
        .load_graft(upload("k", PROCESS, "vas_o::pick"), &object)
        .await;
    let message = "no graft point \"vas_o::pick\": there is ";
    let error = assert_refused(result, missing, "GRAFT_POINT_NOT_FOUND", message);
    assert!(error.message().contains("vas_o::pick_victim"), "{error}");
    assert_eq!(error.help(), ["vinoctl point list"]);

    let result = client
        .load_graft(upload("k", "mail", "vas_o::pick_victim"), &object)
        .await;
    let message = "no process \"mail\": there is database";
    assert_refused(result, missing, "PROCESS_NOT_FOUND", message);
    let result = client
        .load_graft(upload("q", PROCESS, "vas_o::pick_victim"), &object)
        .await;
    assert_refused(
        result,
        missing,
        "KERNEL_NOT_FOUND",
        "no kernel \"q\": there is k",
    );

    let result = client.submit_run(spec("k", "lop")).await;
    assert_refused(
        result,
        missing,
        "TRACE_NOT_FOUND",
        "no trace \"lop\": there is loop",
    );
    let result = client.run("run-9").await;
    assert_refused(
        result,
        missing,
        "RUN_NOT_FOUND",
        "no run \"run-9\": there is none yet",
    );
    let result = client.graft("k", "g").await;
    assert_refused(
        result,
        missing,
        "GRAFT_NOT_FOUND",
        "no graft \"g\": there is none yet",
    );
    bench.stop().await;
}

#[tokio::test]
async fn a_point_that_is_taken_is_not_given_away() {
    let bench = Bench::start().await;
    bench.create_kernel("k", 16).await;
    let object = build_example("default_victim.c");
    bench
        .load("k", "first", &object)
        .await
        .expect("the point is free");
    let second = bench.load("k", "second", &object).await;
    let message = "graft point vas_o::pick_victim of process \"database\" is taken by graft \
                   \"first\": unload it with `vinoctl graft unload first --kernel k`";
    let error = assert_refused(second, Code::FailedPrecondition, "POINT_BUSY", message);
    assert_eq!(error.metadata()["holder"], "first");

    bench
        .client
        .unload_graft("k", "first")
        .await
        .expect("it is loaded");
    bench
        .load("k", "second", &object)
        .await
        .expect("the point is free again");
    let again = bench.client.unload_graft("k", "first").await;
    assert_refused(
        again,
        Code::FailedPrecondition,
        "GRAFT_NOT_LOADED",
        "was unloaded",
    );
    bench.stop().await;
}

#[tokio::test]
async fn uploads_are_capped_and_checked() {
    let bench = Bench::start().await;
    bench.create_kernel("k", 16).await;
    let huge = vec![0; (16 << 20) + 1];
    let result = bench.load("k", "g", &huge).await;
    let message = "the file has 16777217 bytes and vinod accepts 16777216";
    assert_refused(result, Code::ResourceExhausted, "RESOURCE_LIMIT", message);

    let object = build(GRAFT, Protection::All);
    let metadata = |size_bytes: usize, sha256: &str| LoadGraftRequest {
        part: Some(Part::Metadata(LoadGraftMetadata {
            kernel: "k".to_owned(),
            process: PROCESS.to_owned(),
            point: POINT.to_owned(),
            size_bytes: size_bytes as u64,
            sha256: sha256.to_owned(),
            ..LoadGraftMetadata::default()
        })),
    };
    let chunk = |bytes: &[u8]| LoadGraftRequest {
        part: Some(Part::Chunk(bytes.to_vec())),
    };
    let zeros = "0".repeat(64);
    let length = object.len();
    let cases = [
        (
            vec![chunk(&object)],
            "the first message carries the metadata",
        ),
        (
            vec![metadata(length, "abc"), chunk(&object)],
            "64 lower-case hexadecimal digits",
        ),
        (
            vec![metadata(length, &zeros), chunk(&object)],
            "its SHA-256 is ",
        ),
        (
            vec![metadata(length + 1, &zeros), chunk(&object)],
            "of the announced ",
        ),
        (
            vec![metadata(10, &zeros), chunk(&object)],
            "more than the announced 10 bytes came",
        ),
    ];
    let mut grafts = GraftsClient::new(bench.channel().await);
    for (messages, expected) in cases {
        let result = grafts.load_graft(tokio_stream::iter(messages)).await;
        let status = result.expect_err("it must be refused");
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        assert!(status.message().contains(expected), "{status:?}");
    }
    assert!(
        bench
            .client
            .grafts(None)
            .await
            .expect("they are listed")
            .is_empty()
    );
    bench.stop().await;
}

#[tokio::test]
async fn malformed_traces_are_refused_with_the_line() {
    let bench = Bench::start().await;
    let import = async |name: &str, file: &str, bytes: &[u8]| {
        let client = &bench.client;
        client
            .import_trace(name, file, TraceFormat::Unspecified, bytes)
            .await
    };
    let (invalid, reason) = (Code::InvalidArgument, "TRACE_MALFORMED");
    let result = import("t", "t.pages.txt", b"1\n2\nthree\n4\n").await;
    assert_refused(
        result,
        invalid,
        reason,
        "trace \"t\": line 3: \"three\" is not ",
    );
    let result = import("t", "t.pages.txt", b"").await;
    assert_refused(result, invalid, reason, "trace \"t\": the trace is empty");
    let result = import("t", "t.lis", b"5 x 0 1\n").await;
    assert_refused(result, invalid, reason, "line 1: ");
    let result = import("t", "t.oracleGeneral.bin", &[0; 23]).await;
    assert_refused(result, invalid, reason, "byte 0");
    let mut compressed = zstd::bulk::compress(b"1\n2\n3\n", 1).expect("it compresses");
    compressed.truncate(compressed.len() - 3);
    let result = import("t", "t.pages.txt.zst", &compressed).await;
    assert_refused(
        result,
        invalid,
        reason,
        "trace \"t\": the trace could not be read",
    );
    let result = import("no/slash", "t.pages.txt", b"1\n").await;
    assert_refused(result, invalid, "INVALID_ARGUMENT", "name \"no/slash\"");

    let whole = zstd::bulk::compress(b"1\n2\n1\n", 1).expect("it compresses");
    let trace = import("t", "t.pages.txt.zst", &whole)
        .await
        .expect("it decodes");
    assert_eq!((trace.references, trace.pages), (3, 2));
    let same = import("t", "t.pages.txt", b"1\n2\n1\n")
        .await
        .expect("it is the same");
    assert_eq!(same.sha256, trace.sha256);
    let other = import("t", "t.pages.txt", b"1\n2\n3\n").await;
    assert_refused(
        other,
        Code::AlreadyExists,
        "TRACE_EXISTS",
        "choose another name",
    );
    bench.stop().await;
}

#[tokio::test]
async fn kernels_that_cannot_be_are_refused() {
    let bench = Bench::start().await;
    let create = async |config: KernelConfig| bench.client.create_kernel("k", config).await;
    let (invalid, reason) = (Code::InvalidArgument, "KERNEL_CONFIG_INVALID");
    let message = "zero frames: a kernel needs at least one frame of memory";
    assert_refused(create(kernel_config(0)).await, invalid, reason, message);
    let nobody = KernelConfig {
        processes: Vec::new(),
        ..kernel_config(8)
    };
    assert_refused(create(nobody).await, invalid, reason, "no process");
    let handspread = KernelConfig {
        policy: EvictionPolicy::Lru.into(),
        handspread: Some(4),
        ..kernel_config(8)
    };
    assert_refused(
        create(handspread).await,
        invalid,
        "INVALID_ARGUMENT",
        "LRU has no hands",
    );

    create(kernel_config(8)).await.expect("it is created");
    create(kernel_config(8)).await.expect("it is the same");
    let message = "kernel \"k\" exists and differs";
    assert_refused(
        create(kernel_config(9)).await,
        Code::AlreadyExists,
        "KERNEL_EXISTS",
        message,
    );
    bench.stop().await;
}

#[tokio::test]
async fn socket_and_store_have_one_daemon() {
    let bench = Bench::start().await;
    let same = Daemon::start(config(&bench.dir)).await;
    let error = same.expect_err("the socket is taken").to_string();
    assert!(
        error.contains("is in use by another vinod: stop it"),
        "{error}"
    );

    let mut other_socket = config(&bench.dir);
    other_socket.socket = bench.dir.path().join("other.sock");
    let error = Daemon::start(other_socket)
        .await
        .expect_err("the store is taken")
        .to_string();
    assert!(
        error.contains("is locked by another vinod (process "),
        "{error}"
    );
    bench
        .client
        .server_info()
        .await
        .expect("the first one goes on");

    let nowhere = bench.dir.path().join("nowhere.sock");
    let error = Client::connect(&nowhere)
        .await
        .expect_err("nobody listens")
        .to_string();
    let expected = format!(
        "cannot connect to vinod at {0}: there is no such socket; start it with `vinod --socket \
         {0}`, or name another socket with --socket",
        nowhere.display()
    );
    assert_eq!(error, expected);
    bench.stop().await;
}

#[tokio::test]
async fn a_damaged_store_is_not_opened() {
    let bench = Bench::start().await;
    bench.import("loop", cyclic(1)).await;
    let dir = bench.stop().await;
    let file = dir.path().join("store/catalog/writes");
    std::fs::write(file, 99_u64.to_be_bytes()).expect("it can be written");
    let error = Daemon::start(config(&dir))
        .await
        .expect_err("writes are missing")
        .to_string();
    assert!(
        error.contains("is damaged: 99 writes were made and it knows of "),
        "{error}"
    );
}

#[tokio::test]
async fn a_full_disk_fails_the_run_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let limit = |config: &mut vinod::Config| config.store_bytes_max = Some(6 << 20);
    let bench = Bench::start_in(dir, limit).await;
    bench.create_kernel("k", 16).await;
    bench.import("small", cyclic(10)).await;
    let good = bench.run("k", "small").await;
    // Random pages do not compress, and most of them miss.
    let mut state = 1_u64;
    let random = (0..600_000).map(move |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state >> 47
    });
    bench.import("large", random).await;
    let run = bench.run("k", "large").await;
    assert_eq!(run.state(), vino_proto::v1::RunState::Failed);
    let progress = run.progress.expect("it says how far it came");
    assert!(progress.events_durable > 0, "{progress:?}");
    let error = run.error.expect("a failed run says why");
    assert_eq!(error.reason, "DISK_FULL");
    assert!(
        error.message.starts_with("disk full: "),
        "{}",
        error.message
    );

    let report = bench
        .replay(&good.id)
        .await
        .expect("other runs stay readable");
    assert!(report.identical);
    let partial = bench.kinds(&run.id).await;
    assert!(
        !partial.is_empty(),
        "and so does what was logged of the failed one"
    );
    let report = bench.replay(&run.id).await.expect("even that is replayed");
    assert!(report.identical, "{report:?}");

    let limit = |config: &mut vinod::Config| config.store_bytes_max = Some(6 << 20);
    let bench = Bench::start_in(bench.stop().await, limit).await;
    bench
        .client
        .delete_run(&run.id)
        .await
        .expect("room can be made");
    bench
        .client
        .delete_trace("large")
        .await
        .expect("nothing needs it");
    let again = bench.run("k", "small").await;
    assert_eq!(
        again.state(),
        vino_proto::v1::RunState::Succeeded,
        "{:?}",
        again.error
    );
    bench.stop().await;
}
