//! What `vinoctl` says without a daemon: usage, traces, exit codes.

use std::process::Stdio;

use crate::bench::Bench;

#[test]
fn a_malformed_command_line_exits_with_2() {
    let bench = Bench::new();
    bench.run("").exits(2);
    bench.run("graft").exits(2);
    bench
        .run("graft paint")
        .exits(2)
        .says(&["unrecognized subcommand 'paint'"]);
    bench.run("kernel create k").exits(2).says(&["--frames"]);
    bench
        .run("kernel create k --frames many")
        .exits(2)
        .says(&["invalid value 'many'"]);
    bench
        .run("point list --timeout 5")
        .exits(2)
        .says(&["for example 30s"]);
    bench
        .run("point list -o xml")
        .exits(2)
        .says(&["table, json, jsonl or name"]);
}

#[test]
fn without_a_daemon_a_command_says_how_to_start_one() {
    let bench = Bench::new();
    let socket = bench.socket().display().to_string();
    let missing = bench.run("point list").exits(7);
    missing.says(&["cannot connect to vinod", &socket, "start it with `vinod"]);
    // What is left of a daemon that was killed: a socket that nobody listens on.
    drop(std::os::unix::net::UnixListener::bind(bench.socket()).expect("a socket"));
    bench
        .run("run list")
        .exits(7)
        .says(&["nobody listens there"]);
}

#[test]
fn a_daemon_that_does_not_answer_is_a_timeout() {
    let bench = Bench::new();
    let _silent = std::os::unix::net::UnixListener::bind(bench.socket()).expect("a socket");
    bench
        .run("point list --timeout 200ms")
        .exits(6)
        .says(&["error: "]);
}

#[test]
fn version_needs_no_daemon() {
    let bench = Bench::new();
    let version = env!("CARGO_PKG_VERSION");
    bench
        .run("version")
        .exits(0)
        .shows(&[version, "not running"]);
    let json = bench.run("version -o json").exits(0).json();
    assert_eq!(json["vinoctl"], version);
    assert!(json["vinod"].is_null());
}

#[test]
fn a_closed_pipe_ends_the_command_quietly() {
    let bench = Bench::new();
    let mut command = bench.command(env!("CARGO_BIN_EXE_vinoctl"));
    command.args([
        "trace",
        "generate",
        "loop",
        "--requests",
        "200000",
        "--pages",
        "10",
    ]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("vinoctl starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("vinoctl ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_trace_of_nothing_is_not_generated() {
    let bench = Bench::new();
    for nothing in ["--requests 0", "--pages 0", "--requests 100000001"] {
        let line = format!("trace generate disk {nothing}");
        bench.run(&line).exits(2).says(&["is not in 1.."]);
    }
}

#[test]
fn a_generated_trace_is_named_by_its_seed() {
    let bench = Bench::new();
    let line = "trace generate disk --requests 1000 --pages 50 --seed 7";
    let first = bench.run(line).exits(0).stdout;
    assert_eq!(first.lines().count(), 1000);
    assert!(
        first
            .lines()
            .all(|id| id.parse::<u64>().is_ok_and(|id| id < 50))
    );
    bench
        .run(&format!("{line} -o trace.txt"))
        .exits(0)
        .says(&["vinoctl trace import"]);
    let written = std::fs::read_to_string(bench.path().join("trace.txt")).expect("the trace");
    assert_eq!(written, first);
}
