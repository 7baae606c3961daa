//! The demo, run as a newcomer does.

use crate::bench::Bench;
use serde_json::Value;

/// Faults of ARC on the demo's trace, which the database author's graft must not exceed.
const ARC_FAULTS: u64 = 94_241;
/// Faults of CLOCK, exactly.
const CLOCK_FAULTS: u64 = 103_763;
/// Faults of the optimal policy, exactly.
const OPTIMUM_FAULTS: u64 = 92_675;

fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object().expect("a JSON object");
    let mut keys: Vec<&str> = object.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn count(value: &Value) -> u64 {
    value.as_u64().expect("a count")
}

#[test]
fn the_demo_proves_its_claims_in_json() {
    let demo = Bench::new().run("demo -o json").exits(0).json();
    let expected = [
        "frames",
        "misbehaved",
        "optimum_faults",
        "replay",
        "runs",
        "trace",
    ];
    assert_eq!(keys(&demo), expected);
    assert_eq!(keys(&demo["trace"]), ["name", "pages", "requests"]);
    assert_eq!(count(&demo["trace"]["requests"]), 148_590);
    assert_eq!(count(&demo["frames"]), 1_128);
    assert_eq!(count(&demo["optimum_faults"]), OPTIMUM_FAULTS);

    let runs = demo["runs"].as_array().expect("runs");
    let [clock, graft] = runs.as_slice() else {
        panic!("two policies, not {runs:?}")
    };
    let expected = [
        "aborts",
        "commits",
        "evictions",
        "faults",
        "invocations",
        "ns_per_invocation",
        "overrides",
        "policy",
    ];
    assert_eq!(keys(clock), expected);
    assert_eq!(count(&clock["faults"]), CLOCK_FAULTS);
    assert_eq!(count(&clock["invocations"]), 0);
    let faults = count(&graft["faults"]);
    assert!(
        (OPTIMUM_FAULTS..=ARC_FAULTS).contains(&faults),
        "{faults} faults"
    );
    assert_eq!(count(&graft["aborts"]), 0);
    assert_eq!(count(&graft["commits"]), count(&graft["invocations"]));
    assert!(count(&graft["overrides"]) > 0);
    assert!(
        graft["ns_per_invocation"]
            .as_f64()
            .is_some_and(|ns| ns > 0.0)
    );

    let misbehaved = demo["misbehaved"].as_array().expect("hostile grafts");
    assert!(misbehaved.len() >= 5);
    for one in misbehaved {
        assert_eq!(
            keys(one),
            ["abort_reason", "default_served", "graft", "state_restored"]
        );
        assert_eq!(one["state_restored"], true, "{one}");
        assert_eq!(one["default_served"], true, "{one}");
        assert_ne!(one["abort_reason"], "", "{one}");
    }
    assert_eq!(demo["replay"]["identical"], true);
    assert!(count(&demo["replay"]["events"]) > CLOCK_FAULTS);
}

#[test]
fn the_demo_is_readable_and_leaves_nothing_behind() {
    let bench = Bench::new();
    let mut command = bench.command(env!("CARGO_BIN_EXE_vinoctl"));
    let output = command
        .arg("demo")
        .env("TMPDIR", bench.path())
        .output()
        .expect("the demo");
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("text");
    for part in [
        "sqlite3",
        "FAULTS",
        "103,763",
        "OVERRIDES",
        "STATE RESTORED",
        "identical",
    ] {
        assert!(text.contains(part), "{part:?} is not shown:\n{text}");
    }
    // Progress is for terminals.
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let left: Vec<_> = std::fs::read_dir(bench.path())
        .expect("the folder")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
