//! Objects that `graft verify` accepts and refuses, and what it says.

use crate::bench::{AGREES, Bench};

/// A graft that calls something that no graft may call.
const CALLS_OUT: &str = "\
#include \"graft-support.h\"
void coremap_entry_o__set_pagestat(coremap_entry_o *);
status_t vas_o__pick_victim(vas_o *vas, list_o *opt_pages, coremap_entry_o *proposed,
                            coremap_entry_o **my_choice) {
    coremap_entry_o__set_pagestat(proposed);
    *my_choice = proposed;
    return SUCCESS;
}
";

/// The point's function twice: in C++ and under its C name.
const TWICE: &str = "\
#include \"graft-support.H\"
status_t vas_o::pick_victim(list_o<coremap_entry_o *> *opt_pages, coremap_entry_o *proposed,
                            coremap_entry_o **my_choice) {
    *my_choice = proposed;
    return SUCCESS;
}
extern \"C\" status_t vas_o__pick_victim(vas_o *vas, void *opt_pages, coremap_entry_o *proposed,
                                       coremap_entry_o **my_choice) {
    *my_choice = proposed;
    return SUCCESS;
}
";

#[test]
fn a_built_graft_is_accepted_and_its_points_are_named() {
    let bench = Bench::new();
    let object = bench.build("agrees.c", AGREES, "");
    let accepted = bench.run(&format!("graft verify {object}")).exits(0);
    let accepted = accepted.shows(&["accepted", "vas_o::pick_victim"]);
    accepted.says(&["next: vinoctl graft load vas_o::pick_victim agrees.o"]);
    let json = bench
        .run(&format!("graft verify {object} -o json"))
        .exits(0)
        .json();
    assert_eq!(json["accepted"], true);
    assert_eq!(json["points"], serde_json::json!(["vas_o::pick_victim"]));
    bench
        .run(&format!("graft verify {object} --point vas_o::pick_victim"))
        .exits(0);
}

#[test]
fn a_point_that_the_object_does_not_serve_is_refused() {
    let bench = Bench::new();
    let object = bench.build("agrees.c", AGREES, "");
    let other = bench.run(&format!(
        "graft verify {object} --point pm_mgr::stop_pageout"
    ));
    other
        .exits(4)
        .says(&["does not define pm_mgr::stop_pageout", "vas_o__pick_victim"]);
    let unknown = bench.run(&format!("graft verify {object} --point vas_o::pick_victm"));
    unknown
        .exits(3)
        .says(&["unknown graft point", "vas_o::pick_victim"]);
}

#[test]
fn what_is_not_a_64_bit_relocatable_object_is_refused() {
    let bench = Bench::new();
    bench
        .run("graft verify nowhere.o")
        .exits(3)
        .says(&["cannot read nowhere.o"]);
    bench.write("text.o", "#!/bin/sh\n");
    bench
        .run("graft verify text.o")
        .exits(4)
        .says(&["text.o", "not an ELF object"]);
    bench.write("empty.o", "");
    bench
        .run("graft verify empty.o")
        .exits(4)
        .says(&["not an ELF object"]);
    let object = bench.build("agrees.c", AGREES, "");
    let bytes = std::fs::read(bench.path().join(object)).expect("the object");
    bench.write("half.o", &bytes[..bytes.len() / 2]);
    bench
        .run("graft verify half.o")
        .exits(4)
        .says(&["truncated object"]);
    bench.write("small.s", "\t.text\n\t.globl f\nf:\n\tret\n");
    bench.tool("as --32 small.s -o small.o");
    bench
        .run("graft verify small.o")
        .exits(4)
        .says(&["32-bit object"]);
}

#[test]
fn an_object_that_misfit_never_saw_is_refused_with_its_instructions() {
    let bench = Bench::new();
    bench.build("agrees.c", AGREES, "--save-temps");
    bench.tool("as agrees.s -o bare.o");
    let bare = bench.run("graft verify bare.o").exits(4);
    let bare = bare.shows(&[
        "ret",
        "vas_o__pick_victim",
        "R10: a return follows the group",
    ]);
    bare.says(&[
        "bare.o: the verifier found",
        "violations",
        "not passed through misfit",
    ]);
    let json = bench.run("graft verify bare.o -o json").exits(4).json();
    assert_eq!(json["accepted"], false);
    assert_eq!(json["rejection"]["diagnosis"], "DIAGNOSIS_NOT_INSTRUMENTED");
    let first = &json["rejection"]["violations"][0];
    for field in [
        "offset",
        "rule",
        "rule_text",
        "symbol",
        "instruction",
        "advice",
    ] {
        assert!(!first[field].is_null(), "{field} is missing in {first}");
    }
}

#[test]
fn an_accepted_object_is_listed_with_roles_rules_and_symbols() {
    let bench = Bench::new();
    let object = bench.build("agrees.c", AGREES, "");
    let listing = bench.run(&format!("graft disasm {object}")).exits(0);
    listing.shows(&[
        "vas_o__pick_victim:",
        "label",
        "check",
        "re-base",
        "R10",
        "fill",
    ]);
    let json = bench
        .run(&format!(
            "graft disasm {object} --symbol vas_o__pick_victim -o json"
        ))
        .exits(0)
        .json();
    assert_eq!(json["accepted"], true);
    let instructions = json["instructions"].as_array().expect("a list");
    assert_eq!(instructions[0]["role"], "label");
    assert_eq!(instructions[0]["rules"], serde_json::json!(["R12", "R14"]));
    assert!(instructions.iter().all(|line| line["violations"].is_null()));
    bench
        .run(&format!("graft disasm {object} --symbol nothing"))
        .exits(3)
        .says(&["no code is named nothing", "vas_o__pick_victim"]);
    let explained = bench.run(&format!("graft verify {object} --explain"));
    explained
        .exits(0)
        .shows(&["segments", "instrumentation", "re-base", "entry points"]);
}

#[test]
fn a_refused_object_is_listed_with_its_violations_and_explained() {
    let bench = Bench::new();
    bench.build("agrees.c", AGREES, "--save-temps");
    bench.tool("as agrees.s -o bare.o");
    bench
        .run("graft disasm bare.o")
        .exits(0)
        .shows(&["ret", "breaks R10: a return follows the group"]);
    bench.run("graft verify bare.o --explain").exits(4).shows(&[
        "in vas_o__pick_victim",
        "why: an overwritten return address",
        "do:  protect returns: run misfit with -c",
    ]);
}

#[test]
fn an_object_without_read_protection_needs_a_policy_that_accepts_it() {
    let bench = Bench::new();
    let source = AGREES.replace("*my_choice = proposed", "*my_choice = *my_choice");
    let object = bench.build("reads.c", &source, "--protect cws -- -O0");
    let refused = bench.run(&format!("graft verify {object}")).exits(4);
    refused.says(&["misfit ran without -r", "--without-read-protection"]);
    bench
        .run(&format!("graft verify {object} --without-read-protection"))
        .exits(0);
}

#[test]
fn an_undefined_symbol_is_named_with_the_nearest_callable() {
    let bench = Bench::new();
    let names = [
        "coremap_entry_o__set_pagestat",
        "coremap_entry_o::set_pagestate",
    ];
    bench.write("calls.c", CALLS_OUT);
    let built = bench.run("graft build calls.c --save-temps").exits(1);
    built.says(&names);
    assert!(!bench.path().join("calls.o").exists());
    bench.tool("as calls.misfit -o calls.o");
    bench.run("graft verify calls.o").exits(4).says(&names);
}

#[test]
fn two_definitions_of_a_point_are_refused() {
    let bench = Bench::new();
    let object = bench.build("twice.C", TWICE, "");
    let refused = bench.run(&format!("graft verify {object}")).exits(4);
    refused.says(&["vas_o::pick_victim is defined twice", "vas_o__pick_victim"]);
}

#[test]
fn an_object_over_the_size_limit_is_refused() {
    let bench = Bench::new();
    let object = bench.build("agrees.c", AGREES, "");
    let mut bytes = std::fs::read(bench.path().join(object)).expect("the object");
    bytes.resize(17 << 20, 0);
    bench.write("huge.o", bytes);
    bench
        .run("graft verify huge.o")
        .exits(4)
        .says(&["over the size limit of 16777216"]);
}
