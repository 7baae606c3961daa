//! Calls into a graft and out of it, against native calls through a pointer, in turns.

use std::hint::black_box;

use vino_sandbox::{GraftMemory, Host, HostAbort, Instance, NoHost};

use super::graft::{self, Lab, failed};
use super::programs::Programs;
use crate::bench::report::{Measurement, Unit};
use crate::bench::series::Pair;
use crate::bench::{Bench, timed_ns};
use crate::failure::{Exit, Failure};

/// Calls in one turn: some 10 ms of them.
const CALLS: u64 = 2_000_000;
/// Turns for each repetition that was asked for.
const TURNS_PER_REPETITION: u32 = 4;

/// What an empty call may take, in nanoseconds.
const CALL_NS_MAX: f64 = 4.0;
/// What an empty call may take beyond a native call, in nanoseconds.
const CALL_ADDED_NS_MAX: f64 = 3.0;
/// What a call out may take, in nanoseconds.
const HOST_CALL_NS_MAX: f64 = 5.0;

const BASELINE: &str = "native call through a pointer";

/// A host function that does nothing.
struct Nothing;

impl Host for Nothing {
    fn call(
        &mut self,
        _memory: &mut GraftMemory<'_>,
        _import: u32,
        _args: &[u64; 6],
    ) -> Result<u64, HostAbort> {
        Ok(1)
    }
}

extern "C" fn native_empty() -> u64 {
    0
}

/// Measures calls in and out.
pub(super) fn measure(
    bench: &Bench,
    lab: &Lab,
    programs: &Programs,
) -> Result<Vec<Measurement>, Failure> {
    bench.progress.message("calls into a graft and out of it");
    let mut plain = lab.load(&programs.calls, graft::patient())?;
    let mut vector = lab.load(&programs.kernels, graft::patient())?;
    let turns = bench.repetitions * TURNS_PER_REPETITION;
    let mut results = Vec::new();
    for (code, instance) in [("no vector code", &mut plain), ("vector code", &mut vector)] {
        let pair = empty_calls(turns, instance)?;
        let name = format!("empty call, image with {code}");
        results
            .push(Measurement::paired(&name, Unit::Nanoseconds, &pair, BASELINE).bar(CALL_NS_MAX));
        let added = Measurement::of(
            &format!("{name}, over a native call"),
            Unit::Nanoseconds,
            &pair.difference,
        );
        results.push(added.bar(CALL_ADDED_NS_MAX));
    }
    let pair = host_calls(turns, &mut plain)?;
    results.push(
        Measurement::paired("host call from a graft", Unit::Nanoseconds, &pair, BASELINE)
            .bar(HOST_CALL_NS_MAX),
    );
    Ok(results)
}

fn empty_calls(turns: u32, instance: &mut Instance) -> Result<Pair, Failure> {
    let empty = graft::entry(instance, "bench_empty")?;
    Bench::pair(
        turns,
        || {
            timed_ns(CALLS, &mut || {
                for _ in 0..CALLS {
                    // Not by `graft::call`: what is measured is the call alone.
                    match instance.call(empty, &[], &mut NoHost) {
                        Ok(value) => black_box(value),
                        Err(fault) => return Err(failed("an empty function faulted")(fault)),
                    };
                }
                Ok(())
            })
        },
        native_calls,
    )
}

fn host_calls(turns: u32, instance: &mut Instance) -> Result<Pair, Failure> {
    let calls_out = graft::entry(instance, "bench_calls_out")?;
    Bench::pair(
        turns,
        || {
            timed_ns(
                CALLS,
                &mut || match graft::call(instance, calls_out, &[CALLS], &mut Nothing)? {
                    CALLS => Ok(()),
                    _ => Err(Failure::new(Exit::Error, "the graft miscounted its calls")),
                },
            )
        },
        native_calls,
    )
}

fn native_calls() -> Result<f64, Failure> {
    let native: extern "C" fn() -> u64 = black_box(native_empty);
    timed_ns(CALLS, &mut || {
        for _ in 0..CALLS {
            black_box(native());
        }
        Ok(())
    })
}
