//! What `vinoctl` says without a daemon: usage, building, exit codes.

use std::process::Stdio;

use crate::bench::{AGREES, Bench};

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

#[test]
fn a_graft_is_built_from_c_and_from_cxx_in_any_folder() {
    let bench = Bench::new();
    bench.write("agrees.c", AGREES);
    let built = bench.run("graft build agrees.c").exits(0);
    built
        .shows(&["agrees.o", "gcc", "crws"])
        .says(&["next: vinoctl graft verify agrees.o"]);
    let source = "\
        #include \"graft-support.H\"\n\
        status_t vas_o::pick_victim(list_o<coremap_entry_o *> *opt_pages,\n\
                                    coremap_entry_o *proposed, coremap_entry_o **choice) {\n\
            *choice = opt_pages->first() ? opt_pages->first()->get_data() : proposed;\n\
            return SUCCESS;\n\
        }\n";
    bench.write("first.C", source);
    let json = bench
        .run("graft build first.C -o out.o -o json")
        .exits(0)
        .json();
    assert_eq!(json["object"], "out.o");
    assert_eq!(json["compiler"], "g++");
    let object = std::fs::read(bench.path().join("out.o")).expect("the object");
    assert_eq!(json["size_bytes"], object.len());
    assert_eq!(object.get(..4), Some(&b"\x7fELF"[..]));
}

#[test]
fn intermediate_assembly_is_kept_on_request_only() {
    let bench = Bench::new();
    bench.build("agrees.c", AGREES, "");
    assert!(!bench.path().join("agrees.s").exists());
    bench.build("agrees.c", AGREES, "--save-temps");
    let before = std::fs::read_to_string(bench.path().join("agrees.s")).expect("assembly");
    let after = std::fs::read_to_string(bench.path().join("agrees.misfit")).expect("assembly");
    assert!(!before.contains("%gs:") && after.contains("%gs:"));
    // The manual's own path: the compiler's assembly as the source.
    bench
        .run("graft build agrees.s -o again.o")
        .exits(0)
        .shows(&["none"]);
    let object = |name| std::fs::read(bench.path().join(name)).expect("an object");
    assert_eq!(object("agrees.o"), object("again.o"));
}

#[test]
fn the_compiler_is_the_users_choice() {
    let bench = Bench::new();
    bench.write("agrees.c", AGREES);
    let missing = bench
        .run("graft build agrees.c --compiler no-such-cc")
        .exits(1);
    missing.says(&["cannot run no-such-cc", "apt install g++", "--compiler"]);
    let other = bench.run("graft build agrees.c -o json --compiler gcc -- -O0 -DNDEBUG");
    assert_eq!(other.exits(0).json()["compiler"], "gcc");
}

#[test]
fn what_cannot_be_built_is_explained() {
    let bench = Bench::new();
    bench
        .run("graft build nowhere.c")
        .exits(3)
        .says(&["nowhere.c: no such file"]);
    bench
        .run("graft build graft.rs")
        .exits(2)
        .says(&["does not tell the language"]);
    bench
        .run("graft build a.c --protect x")
        .exits(2)
        .says(&["no protection 'x'"]);
    bench.write("broken.c", "int f( {\n");
    let broken = bench.run("graft build broken.c").exits(1);
    broken.says(&["broken.c:1", "gcc could not compile broken.c"]);
    assert!(!bench.path().join("broken.o").exists());
    bench.write("bare.s", "\t.text\nf:\n\tsyscall\n\tret\n");
    let bare = bench.run("graft build bare.s").exits(1);
    bare.says(&["misfit cannot make bare.s safe", "line 3", "syscall"]);
}

#[test]
fn a_source_is_not_replaced_by_its_object() {
    let bench = Bench::new();
    bench.write("graft.c", AGREES);
    bench
        .run("graft build graft.c -o ./graft.c")
        .exits(2)
        .says(&["is the source", "-o"]);
    let kept = std::fs::read_to_string(bench.path().join("graft.c"));
    assert_eq!(kept.expect("it is there"), AGREES);
}
