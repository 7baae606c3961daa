//! Faults that become an `Err` in the caller, and deadlines that pass.

use std::time::Duration;

use vino_sandbox::{FaultKind, Instance, InstanceConfig, NoHost, STACK_BYTES_MIN};

use super::graft::{self, Lab};
use super::native::Native;
use super::programs::Programs;
use crate::bench::report::{Measurement, Unit};
use crate::bench::series::Series;
use crate::bench::{Bench, thread_seconds, timed_ns};
use crate::failure::{Exit, Failure};

/// Faults in one turn.
const FAULTS: u64 = 500;
/// Turns for each repetition that was asked for.
const TURNS_PER_REPETITION: u32 = 3;
/// What a fault may take, in microseconds.
const FAULT_US_MAX: f64 = 5.0;
/// An offset that no sandbox maps.
const NOWHERE: u64 = 0x7fff_0000;

/// The deadline whose overshoot is measured.
const DEADLINE: Duration = Duration::from_millis(1);
/// Deadlines for each repetition that was asked for.
const DEADLINES_PER_REPETITION: u32 = 60;
/// By how much a deadline may be missed, in milliseconds.
const OVERSHOOT_MS_MAX: f64 = 1.0;

const BASELINE: &str = "SIGSEGV handler that jumps out, native";

/// A way to go wrong.
struct Wrong {
    name: &'static str,
    function: &'static str,
    argument: u64,
    /// What it must end as.
    is_expected: fn(FaultKind) -> bool,
}

const WRONGS: &[Wrong] = &[
    Wrong {
        name: "fault to Err: wild read",
        function: "bench_wild_read",
        argument: NOWHERE,
        is_expected: |kind| matches!(kind, FaultKind::Memory { write: false }),
    },
    Wrong {
        name: "fault to Err: failed check of a call",
        function: "bench_wild_call",
        argument: NOWHERE,
        is_expected: |kind| {
            matches!(
                kind,
                FaultKind::BadControlTransfer | FaultKind::Memory { .. }
            )
        },
    },
    Wrong {
        name: "fault to Err: illegal instruction",
        function: "bench_trap",
        argument: 0,
        is_expected: |kind| kind == FaultKind::IllegalInstruction,
    },
    Wrong {
        name: "fault to Err: stack overflow, 4 KiB",
        function: "bench_recursion",
        argument: 0,
        is_expected: |kind| kind == FaultKind::StackOverflow,
    },
];

/// Measures every way to go wrong.
pub(super) fn measure(
    bench: &Bench,
    lab: &Lab,
    programs: &Programs,
    native: &mut Native,
) -> Result<Vec<Measurement>, Failure> {
    let config = InstanceConfig {
        stack_bytes: STACK_BYTES_MIN,
        ..graft::patient()
    };
    let mut instance = lab.load(&programs.calls, config)?;
    let turns = bench.repetitions * TURNS_PER_REPETITION;
    let mut results = Vec::new();
    for wrong in WRONGS {
        bench.progress.message(wrong.name);
        let entry = graft::entry(&instance, wrong.function)?;
        let pair = Bench::pair(
            turns,
            || {
                let ns = timed_ns(FAULTS, &mut || {
                    (0..FAULTS).try_for_each(|_| {
                        match instance.call(entry, &[wrong.argument], &mut NoHost) {
                            Err(fault) if (wrong.is_expected)(fault.kind) => Ok(()),
                            Err(fault) => Err(unexpected(wrong.name, &fault.to_string())),
                            Ok(_) => Err(unexpected(wrong.name, "it returned")),
                        }
                    })
                });
                Ok(ns? / 1e3)
            },
            || Ok(native.ask(&format!("fault {FAULTS}"))?.ns / 1e3 / super::float(FAULTS)),
        )?;
        let row = Measurement::paired(wrong.name, Unit::Microseconds, &pair, BASELINE);
        results.push(row.bar(FAULT_US_MAX));
    }
    let config = InstanceConfig {
        deadline: DEADLINE,
        ..InstanceConfig::default()
    };
    results.extend(deadlines(bench, &mut lab.load(&programs.calls, config)?)?);
    Ok(results)
}

/// Measures by how much an endless loop outlives its deadline.
fn deadlines(bench: &Bench, instance: &mut Instance) -> Result<[Measurement; 3], Failure> {
    bench.progress.message("deadlines");
    let entry = graft::entry(instance, "bench_loop")?;
    let mut overshoots = Vec::new();
    for _ in 0..bench.repetitions * DEADLINES_PER_REPETITION {
        let start = thread_seconds();
        let ended = instance.call(entry, &[], &mut NoHost);
        let seconds = thread_seconds() - start;
        match ended {
            Err(fault) if fault.kind == FaultKind::Deadline => {
                overshoots.push((seconds - DEADLINE.as_secs_f64()) * 1e3);
            }
            Err(fault) => return Err(unexpected("an endless loop", &fault.to_string())),
            Ok(_) => return Err(unexpected("an endless loop", "it returned")),
        }
    }
    let overshoots = Series::of(overshoots);
    let row = |name, value| {
        Measurement::new(
            name,
            (value, Unit::Milliseconds),
            ("the deadline itself", DEADLINE.as_secs_f64() * 1e3),
            Some(OVERSHOOT_MS_MAX),
        )
    };
    let median = Measurement::of(
        "deadline overshoot, median",
        Unit::Milliseconds,
        &overshoots,
    )
    .against("the deadline itself", DEADLINE.as_secs_f64() * 1e3)
    .bar(OVERSHOOT_MS_MAX);
    Ok([
        median,
        row(
            "deadline overshoot, 99 of 100",
            overshoots.quantile(99, 100),
        ),
        row("deadline overshoot, worst", overshoots.max()),
    ])
}

fn unexpected(what: &str, ended: &str) -> Failure {
    let message = format!("{what} was to end another way: {ended}");
    Failure::new(Exit::Error, message)
}
