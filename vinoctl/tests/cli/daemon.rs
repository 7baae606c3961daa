//! The commands that need a daemon, each as a user types it.

use crate::bench::{AGREES, Ran};
use crate::served::Served;
use serde_json::Value;

/// A graft that writes where it has no memory.
const WILD: &str = "\
#include \"graft-support.h\"
status_t vas_o__pick_victim(vas_o *vas, list_o *opt_pages, coremap_entry_o *proposed,
                            coremap_entry_o **my_choice) {
    *(volatile int *)0x7fff0000 = 1;
    *my_choice = proposed;
    return SUCCESS;
}
";

/// A daemon with a kernel of 8 frames and a trace that loops over 12 pages.
fn with_kernel_and_trace() -> Served {
    let served = Served::start();
    served
        .run("kernel create small --frames 8 --process database")
        .exits(0);
    served
        .run("trace generate loop --requests 1200 --pages 12 -o loop.txt")
        .exits(0);
    served.run("trace import loop.txt").exits(0);
    served
}

/// The identifier of the run that `submitted` tells about.
fn run_id(submitted: &Ran) -> String {
    let last = submitted.stdout.lines().last().expect("a line of JSON");
    let run: Value = serde_json::from_str(last).expect("JSON");
    run["id"].as_str().expect("an identifier").to_string()
}

#[test]
fn the_points_are_listed_and_explained() {
    let served = Served::start();
    let list = served.run("point list").exits(0);
    list.shows(&["NAME", "vas_o::pick_victim", "pm_mgr::stop_pageout"]);
    assert_eq!(
        served
            .run("point list -o name")
            .exits(0)
            .stdout
            .lines()
            .count(),
        4
    );
    let json = served.run("point list -o json").exits(0).json();
    assert_eq!(json.as_array().map(Vec::len), Some(4));
    let lines = served.run("point list -o jsonl").exits(0).stdout;
    assert!(
        lines
            .lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok())
    );
    let point = served.run("point get vas_o::pick_victim").exits(0);
    point.shows(&[
        "OUT PTR coremap_entry_o **my_choice",
        "vas_o__pick_victim",
        "threat",
    ]);
    let unknown = served.run("point get vas_o::pick_victm").exits(3);
    unknown.says(&["vas_o::pick_victm"]);
}

#[test]
fn the_walk_through_of_the_readme_works() {
    let served = with_kernel_and_trace();
    let object = served.build("agrees.c", AGREES, "");
    served.run(&format!("graft verify {object}")).exits(0);
    let loaded = served
        .run(&format!("graft load vas_o::pick_victim {object}"))
        .exits(0);
    loaded.shows(&[
        "agrees",
        "small",
        "database",
        "loaded",
        "read protected     yes",
    ]);
    let submitted = served
        .run("run submit --watch --trace loop -o jsonl")
        .exits(0);
    let run = run_id(&submitted);
    let shown = served.run(&format!("run get {run}")).exits(0);
    shown.shows(&["succeeded", "1,200", "state digest"]);
    let json = served
        .run(&format!("run get {run} -o json"))
        .exits(0)
        .json();
    assert_eq!(json["summary"]["commits"], json["summary"]["evictions"]);
    assert_eq!(json["summary"]["faults"], "1200");
    served.run("run list").exits(0).shows(&[&run]);
    served
        .run(&format!("run replay {run}"))
        .exits(0)
        .shows(&["identical"]);
    let replay = served
        .run(&format!("run replay {run} -o json"))
        .exits(0)
        .json();
    assert_eq!(replay["identical"], true);
    served
        .run("graft list")
        .exits(0)
        .shows(&["agrees", "loaded"]);
    served
        .run("graft unload agrees")
        .exits(0)
        .shows(&["unloaded"]);
    let second = run_id(
        &served
            .run("run submit --watch --trace loop -o jsonl")
            .exits(0),
    );
    let json = served
        .run(&format!("run get {second} -o json"))
        .exits(0)
        .json();
    assert_eq!(json["summary"]["invocations"], "0");
    let third = served
        .run("run submit --watch --trace loop -o name")
        .exits(0);
    assert_eq!(third.stdout, "run-3\n");
}

#[test]
fn logs_are_printed_in_pages() {
    let served = with_kernel_and_trace();
    let object = served.build("agrees.c", AGREES, "");
    served
        .run(&format!("graft load vas_o::pick_victim {object}"))
        .exits(0);
    let run = run_id(
        &served
            .run("run submit --watch --trace loop -o jsonl")
            .exits(0),
    );
    let first = served
        .run(&format!("log evictions {run} --limit 3"))
        .exits(0);
    assert_eq!(first.stdout.lines().count(), 3);
    let first = first.shows(&["evicted page", "of database", "accepted"]);
    first.says(&["--from"]);
    let all = served
        .run(&format!("log evictions {run} --limit 5000 -o jsonl"))
        .exits(0);
    assert_eq!(all.stdout.lines().count(), 1192);
    let txns = served.run(&format!("log txn {run} --limit 2")).exits(0);
    txns.shows(&["committed", "agrees at vas_o::pick_victim"]);
    served.run("log txn nothing").exits(3).says(&["nothing"]);
}

#[test]
fn a_graft_that_misbehaves_is_removed_and_the_run_exits_with_5() {
    let served = with_kernel_and_trace();
    let object = served.build("wild.c", WILD, "");
    served
        .run(&format!("graft load vas_o::pick_victim {object}"))
        .exits(0);
    let watched = served.run("run submit --watch --trace loop").exits(5);
    let watched = watched.shows(&["aborted", "state restored", "removed", "succeeded"]);
    watched.says(&["a graft was removed", "vinoctl log txn"]);
    served
        .run("graft get wild")
        .exits(0)
        .shows(&["removed", "wild write"]);
    let runs = served.run("run list -o json").exits(0).json();
    let run = runs[0]["id"].as_str().expect("an identifier");
    served
        .run(&format!("run replay {run}"))
        .exits(0)
        .shows(&["identical"]);
    served
        .run(&format!("log txn {run}"))
        .exits(0)
        .shows(&["wild write"]);
}

#[test]
fn a_rejected_graft_exits_with_4_and_shows_why() {
    let served = with_kernel_and_trace();
    served.build("agrees.c", AGREES, "--save-temps");
    served.tool("as agrees.s -o bare.o");
    let bare = served.run("graft load vas_o::pick_victim bare.o").exits(4);
    bare.shows(&["R10"])
        .says(&["bare.o", "not passed through misfit"]);
    served.write("text.o", "no object");
    served
        .run("graft load vas_o::pick_victim text.o")
        .exits(4)
        .says(&["not an ELF object"]);
    served
        .run("graft load vas_o::pick_victim nowhere.o")
        .exits(3)
        .says(&["nowhere.o"]);
}

#[test]
fn what_does_not_exist_exits_with_3() {
    let served = with_kernel_and_trace();
    let object = served.build("agrees.c", AGREES, "");
    let point = served
        .run(&format!("graft load vas_o::choose {object}"))
        .exits(3);
    point.says(&["vas_o::choose", "vas_o::pick_victim"]);
    let load = format!("graft load vas_o::pick_victim {object}");
    let process = served.run(&format!("{load} --process webserver")).exits(3);
    process.says(&["webserver", "database"]);
    served
        .run(&format!("{load} --kernel large"))
        .exits(3)
        .says(&["large"]);
    served
        .run("run submit --trace nothing")
        .exits(3)
        .says(&["nothing"]);
    served.run("run get 12345").exits(3).says(&["12345"]);
    served.run("trace info nothing").exits(3).says(&["nothing"]);
    served
        .run("trace import nowhere.txt")
        .exits(3)
        .says(&["nowhere.txt"]);
    served.run("kernel delete large").exits(3).says(&["large"]);
}

#[test]
fn a_point_that_is_taken_stays_with_its_graft() {
    let served = with_kernel_and_trace();
    let object = served.build("agrees.c", AGREES, "");
    let load = format!("graft load vas_o::pick_victim {object}");
    served.run(&load).exits(0);
    let taken = served.run(&format!("{load} --name second")).exits(1);
    taken.says(&["vas_o::pick_victim", "agrees"]);
    served.run("graft list -o name").exits(0).shows(&["agrees"]);
}

#[test]
fn a_kernel_that_cannot_be_is_refused_with_2() {
    let served = Served::start();
    served
        .run("kernel create none --frames 0")
        .exits(2)
        .says(&["zero frames"]);
    let spread = served
        .run("kernel create none --frames 4 --handspread 9")
        .exits(2);
    spread.says(&["hand spread of 9"]);
    assert_eq!(
        served.run("kernel list -o json").exits(0).json(),
        serde_json::json!([])
    );
}

#[test]
fn a_command_that_needs_a_kernel_asks_which() {
    let served = Served::start();
    let none = served.run("run submit --trace any").exits(3);
    none.says(&["no kernel yet", "vinoctl kernel create"]);
    served.run("kernel create one --frames 8").exits(0);
    served
        .run("kernel create two --frames 8 --process a --process b")
        .exits(0);
    served
        .run("run submit --trace any")
        .exits(2)
        .says(&["--kernel is one of one, two"]);
    let whose = served.run("run submit --kernel two --trace any").exits(2);
    whose.says(&["several processes", "PROCESS=TRACE"]);
    served
        .run("kernel delete two")
        .exits(0)
        .shows(&["kernel two deleted"]);
}

#[test]
fn malformed_traces_are_refused_with_their_line() {
    let served = Served::start();
    served.write("bad.txt", "1\n2\nthree\n");
    served
        .run("trace import bad.txt")
        .exits(1)
        .says(&["line 3", "three"]);
    served.write("empty.txt", "");
    served
        .run("trace import empty.txt")
        .exits(1)
        .says(&["empty"]);
    served.write("bad.lis", "10 2 0 0\n5 x 0 1\n");
    served
        .run("trace import bad.lis")
        .exits(1)
        .says(&["line 2"]);
    served.write("broken.zst", "not zstd at all");
    served
        .run("trace import broken.zst")
        .exits(1)
        .says(&["zst"]);
    assert_eq!(served.run("trace list -o name").exits(0).stdout, "");
}

#[test]
fn every_trace_format_is_imported() {
    let served = Served::start();
    served.write("a.lis", "10 3 0 0\n11 1 0 1\n");
    let trace = served.run("trace import a.lis -o json").exits(0).json();
    assert_eq!(
        (&trace["references"], &trace["pages"]),
        (&"4".into(), &"3".into())
    );
    let mut record = Vec::new();
    for id in [7_u64, 8, 7] {
        record.extend(0_u32.to_le_bytes());
        record.extend(id.to_le_bytes());
        record.extend(4096_u32.to_le_bytes());
        record.extend((-1_i64).to_le_bytes());
    }
    served.write("b.bin", &record);
    let import = "trace import b.bin --format oracle-general --name oracle -o json";
    let trace = served.run(import).exits(0).json();
    assert_eq!(
        (&trace["references"], &trace["pages"]),
        (&"3".into(), &"2".into())
    );
    served
        .run("trace list")
        .exits(0)
        .shows(&["oracle-general", "arc-lis"]);
}

#[test]
fn a_trace_that_names_more_pages_than_fit_is_refused_at_once() {
    let served = Served::start();
    served.write("huge.lis", "0 18446744073709551615 0 1\n");
    served
        .run("trace import huge.lis")
        .exits(1)
        .says(&["more than", "references"]);
    served
        .run("trace import /dev/zero")
        .exits(1)
        .says(&["not a regular file"]);
}

#[test]
fn runs_and_traces_are_deleted_and_the_optimum_is_told() {
    let served = with_kernel_and_trace();
    let optimum = served.run("trace optimum loop --frames 12 -o json");
    assert_eq!(optimum.exits(0).json()["faults"], 12);
    let run = run_id(
        &served
            .run("run submit --watch --trace loop -o jsonl")
            .exits(0),
    );
    let advice = format!("vinoctl run delete {run}");
    served
        .run("trace delete loop")
        .exits(1)
        .says(&["is needed to replay", &advice]);
    served.run(&format!("run delete {run}")).exits(0);
    served.run(&format!("run get {run}")).exits(3);
    served.run("trace delete loop").exits(0);
    served.run("trace info loop").exits(3);
}

#[test]
fn a_run_without_swap_space_says_what_failed_and_not_line_by_line() {
    let served = with_kernel_and_trace();
    served
        .run("kernel create tight --frames 8 --anonymous --swap-pages 1")
        .exits(0);
    let run = served
        .run("run submit --kernel tight --watch --trace loop")
        .exits(0);
    assert!(run.stdout.lines().count() < 60, "{}", run.stdout);
    run.shows(&["failed faults", "no swap space was left"])
        .says(&[
            "run-1 submitted",
            "more faults failed for lack of swap space",
        ]);
}
