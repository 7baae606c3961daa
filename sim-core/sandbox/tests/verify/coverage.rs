//! The attacks that the cases must contain, each with the rule that stops it.
//!
//! A table of what untrusted x86-64 code can try, by part of an instruction and by class of
//! attack. Every class names cases; a case that is gone, that expects another rule, or that belongs
//! to no class fails the test. Attacks of the object file's format are in `decode.rs` and
//! `hostile.rs`, those that only a running graft can make in `tests/exec`.

use std::collections::BTreeSet;

use crate::folder;

/// A class of attacks, the rule that stops it, and the cases that show it: whole names, or
/// beginnings that end in `*`.
type Class = (&'static str, &'static str, &'static [&'static str]);

const ENCODINGS: &[Class] = &[
    (
        "operand size on near branches",
        "R1",
        &["encoding-data16-*"],
    ),
    (
        "operand size and REX.W on a branch",
        "R1",
        &["encoding-wide-and-narrow-branch"],
    ),
    (
        "address size that nothing uses",
        "R1",
        &["encoding-address-size-*"],
    ),
    (
        "two prefixes of a group",
        "R1",
        &["encoding-two-segments", "encoding-gs-then-fs"],
    ),
    (
        "repeated prefixes",
        "R1",
        &["encoding-repeated-prefix", "encoding-both-repeats"],
    ),
    (
        "REX ignored or not last",
        "R1",
        &["encoding-ignored-rex", "encoding-rex-not-last"],
    ),
    (
        "VEX bits ignored, VEX too long",
        "R1",
        &["encoding-vex-*", "encoding-long-vex"],
    ),
    ("scale without an index", "R1", &["encoding-ignored-scale"]),
    ("lock where there is none", "R1", &["encoding-lock-*"]),
    ("more than 15 bytes", "R1", &["encoding-too-long"]),
    ("no instruction at all", "R1", &["encoding-invalid-opcode"]),
    ("zeros, which are stores", "R4", &["encoding-zeros"]),
    (
        "second opcodes",
        "R2",
        &["allow-alias-*", "allow-undefined-byte-swap"],
    ),
    (
        "repeat prefixes elsewhere",
        "R3",
        &["prefix-repeat", "prefix-bnd", "prefix-elision"],
    ),
    (
        "segments other than %gs",
        "R3",
        &["prefix-fs", "prefix-other-segments"],
    ),
    (
        "segments without memory",
        "R3",
        &["prefix-segment-*", "prefix-branch-hint"],
    ),
    (
        "address size on what computes",
        "R3",
        &["prefix-address-size-*"],
    ),
    ("notrack", "R3", &["prefix-notrack"]),
];

const MEMORY: &[Class] = &[
    (
        "loads",
        "R4",
        &[
            "memory-load",
            "memory-masked-move",
            "unprotected-reads-only",
        ],
    ),
    (
        "stores",
        "R4",
        &["memory-store", "memory-read-modify-write"],
    ),
    ("push and pop", "R4", &["memory-push-pop"]),
    ("prefetch", "R4", &["memory-prefetch"]),
    (
        "one of %gs and truncation",
        "R4",
        &["memory-gs-without-*", "memory-truncation-*"],
    ),
    ("index of 35 bits", "R4", &["memory-scaled-index"]),
    (
        "%rsp with %gs or an index",
        "R4",
        &["memory-gs-with-*", "memory-stack-with-index"],
    ),
    (
        "(%eip) and %gs:(%rip)",
        "R4",
        &["memory-eip-relative", "memory-gs-rip-relative"],
    ),
    ("absolute addresses", "R4", &["memory-absolute"]),
    ("bit offsets in registers", "R4", &["memory-bit-offset"]),
    ("source of a stack group", "R4", &["memory-group-source"]),
    ("fixed addresses outside", "R5", &["fixed-*"]),
    ("64-bit absolute moves", "R2", &["allow-absolute-moves"]),
    ("gathers", "R2", &["allow-gathers"]),
    (
        "AVX-512, AMX, MPX",
        "R2",
        &["allow-avx512", "allow-amx", "allow-bounds"],
    ),
    (
        "memory that no operand shows",
        "R2",
        &["allow-hidden-memory", "allow-direct-stores"],
    ),
    (
        "string reads and ports",
        "R2",
        &["allow-string-reads", "allow-port-io"],
    ),
    ("string groups", "R11", &["string-*"]),
    (
        "other vendors' extensions",
        "R2",
        &["allow-3dnow", "allow-amd-extensions"],
    ),
    (
        "wide compare-exchange",
        "R2",
        &["allow-wide-compare-exchange"],
    ),
];

const STACK: &[Class] = &[
    ("writes to %rsp and its parts", "R6", &["stack-*"]),
    (
        "identity in %rsp",
        "R2",
        &["allow-stack-pointer-by-identity"],
    ),
    (
        "enter, leave, two-byte operations",
        "R2",
        &["allow-frames", "allow-small-stack-*"],
    ),
    ("drift without an access", "R7", &["drift-*"]),
];

const CONTROL: &[Class] = &[
    (
        "targets inside instructions and groups",
        "R8",
        &["target-*"],
    ),
    ("indirect transfers", "R9", &["indirect-*"]),
    ("returns", "R10", &["return-*"]),
    ("hidden labels", "R12", &["label-*"]),
    ("unlabelled entries", "R14", &["entry-*"]),
    ("relocations that change code", "R15", &["relocation-*"]),
    (
        "far transfers and other returns",
        "R2",
        &["allow-far-*", "allow-return-with-pop"],
    ),
    ("loops", "R2", &["allow-loops"]),
    ("transactions", "R2", &["allow-transactions"]),
    (
        "system calls and returns",
        "R2",
        &["allow-system-*", "allow-user-interrupts"],
    ),
];

const STATE: &[Class] = &[
    ("flags", "R2", &["allow-flags"]),
    ("x87 and MMX", "R2", &["allow-x87", "allow-mmx"]),
    ("floating-point modes", "R2", &["allow-floating-point-mode"]),
    (
        "save areas",
        "R2",
        &["allow-state-save", "allow-supervisor-state"],
    ),
    ("segments and their bases", "R2", &["allow-segment-*"]),
    ("shadow stacks", "R2", &["allow-shadow-*"]),
    ("protection keys", "R2", &["allow-protection-keys"]),
    (
        "clock, identity, randomness",
        "R2",
        &["allow-clock-and-identity"],
    ),
    ("kernel addresses", "R2", &["allow-descriptor-reads"]),
    (
        "caches and waits",
        "R2",
        &["allow-caches", "allow-user-waits"],
    ),
    ("vendor-specific values", "R2", &["allow-approximations"]),
    (
        "privileged and virtual",
        "R2",
        &["allow-privileged", "allow-virtualisation"],
    ),
];

const ALL: [&[Class]; 5] = [ENCODINGS, MEMORY, STACK, CONTROL, STATE];

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    }
}

fn case_names() -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder("reject")).expect("the folder of cases");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.into_string().expect("a readable name"));
    names
        .filter_map(|name| name.strip_suffix(".s").map(str::to_owned))
        .collect()
}

/// The rules that a case expects.
fn rules_of(name: &str) -> BTreeSet<String> {
    let path = folder("reject").join(name).with_extension("s");
    let text = std::fs::read_to_string(path).expect("a case");
    let marks = text.lines().filter_map(|line| line.split_once("# error:"));
    let rules = marks.flat_map(|(_, rules)| rules.split_whitespace());
    rules.map(str::to_owned).collect()
}

#[test]
fn every_class_of_attack_has_cases_that_name_its_rule() {
    let names = case_names();
    let mut classified = BTreeSet::new();
    for (class, rule, patterns) in ALL.into_iter().flatten() {
        for pattern in *patterns {
            let found: Vec<&String> = names.iter().filter(|name| matches(pattern, name)).collect();
            assert!(!found.is_empty(), "{class}: no case {pattern}");
            // A family of cases may hold one that another rule stops first.
            let named = found.iter().any(|name| rules_of(name).contains(*rule));
            assert!(named, "{class}: no case {pattern} expects {rule}");
            classified.extend(found.into_iter().cloned());
        }
    }
    let rest: Vec<&String> = names.difference(&classified).collect();
    assert!(rest.is_empty(), "cases of no class: {rest:?}");
}
