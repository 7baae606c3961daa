//! Calls into a graft and out of it, against native calls through a pointer.

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use vino_sandbox::{
    DecodedImage, Engine, GraftMemory, Host, HostAbort, Instance, InstanceConfig, Limits, NoHost,
    Policy, VerifiedImage,
};

use super::Bench;
use super::report::{Measurement, Unit};
use crate::failure::{Exit, Failure};
use crate::samples::Sample;

/// Calls in one repetition: some 20 ms of them.
const CALLS: u64 = 5_000_000;

/// How long one repetition of calls out may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// The graft that is called: once an empty function, once a loop of calls out.
const GRAFT: Sample = Sample {
    name: "bench_calls",
    file_name: "bench_calls.c",
    tries: "to be quick",
    text: "\
unsigned long bench_host(void);
unsigned long bench_empty(void) { return 0; }
unsigned long bench_calls_out(unsigned long n) {
    unsigned long sum = 0;
    while (n-- != 0)
        sum += bench_host();
    return sum;
}
",
};

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
pub(super) async fn measure(bench: &Arc<Bench>) -> Result<Vec<Measurement>, Failure> {
    bench.progress.message("calls into a graft and out of it");
    let object = GRAFT.build().await?;
    super::on_thread(bench, move |bench| calls(bench, &object)).await
}

fn calls(bench: &Bench, object: &[u8]) -> Result<Vec<Measurement>, Failure> {
    let mut instance = load(object)?;
    let missing = || Failure::new(Exit::Error, "the graft of the benchmark lost a function");
    let empty = instance.entry("bench_empty").ok_or_else(missing)?;
    let calls_out = instance.entry("bench_calls_out").ok_or_else(missing)?;
    let fault = |fault| Failure::from_error("the graft of the benchmark faulted", &fault);

    let native: extern "C" fn() -> u64 = black_box(native_empty);
    let native_ns = bench.median_ns(CALLS, || {
        for _ in 0..CALLS {
            black_box(native());
        }
        Ok::<(), Infallible>(())
    });
    let Ok(native_ns) = native_ns;
    let call_ns = bench.median_ns(CALLS, || {
        for _ in 0..CALLS {
            black_box(instance.call(empty, &[], &mut NoHost).map_err(fault)?);
        }
        Ok::<(), Failure>(())
    })?;
    let host_ns = bench.median_ns(CALLS, || {
        let sum = instance
            .call(calls_out, &[CALLS], &mut Nothing)
            .map_err(fault)?;
        if sum == CALLS { Ok(()) } else { Err(missing()) }
    })?;
    let baseline = ("native call through a pointer", native_ns);
    Ok(vec![
        Measurement::new(
            "empty graft call",
            (call_ns, Unit::Nanoseconds),
            baseline,
            Some(5.0),
        ),
        Measurement::new(
            "host call from a graft",
            (host_ns, Unit::Nanoseconds),
            baseline,
            Some(5.0),
        ),
    ])
}

/// Verifies and loads it.
fn load(object: &[u8]) -> Result<Instance, Failure> {
    let failed = |what: &str, error: &dyn std::error::Error| Failure::from_error(what, error);
    let engine =
        Engine::new().map_err(|error| failed("cannot start the sandbox engine", &error))?;
    let image = DecodedImage::decode(object, &Limits::default())
        .map_err(|error| failed("cannot decode the benchmark's graft", &error))?
        .link(&mut |name| (name == "bench_host").then_some(0))
        .map_err(|error| failed("cannot link the benchmark's graft", &error))?;
    let config = InstanceConfig {
        deadline: DEADLINE,
        ..InstanceConfig::default()
    };
    let image = VerifiedImage::verify(&engine, image, &Policy::default())
        .map_err(|error| failed("cannot verify the benchmark's graft", &error))?;
    Instance::new(&image, config)
        .map_err(|error| failed("cannot load the benchmark's graft", &error))
}
