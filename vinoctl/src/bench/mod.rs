//! `bench`: the speeds that VINO promises, each beside a baseline from the same process.
//!
//! [`sandbox`] measures code in a sandbox, and the sandbox itself, against native code;
//! [`run`] measures whole runs against a bare CLOCK loop over flat arrays. A number is the median
//! of several repetitions. A missed bar is reported, not an error. [`report`] documents what
//! `-o json` prints.
//!
//! What runs on one thread is timed by that thread's processor clock, so that other work on the
//! machine costs a measurement its caches but not its turn; what involves a daemon and a disk is
//! timed by the clock on the wall.

mod clock;
mod durable;
mod report;
mod run;
mod sandbox;
mod series;
mod workload;

use std::sync::Arc;
use std::time::Duration;

use self::report::{BenchReport, Machine, Measurement};
use self::series::{Pair, Series};
use crate::args::{BenchArgs, Suite};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::progress::Progress;

/// Runs the suites that were asked for.
pub(crate) async fn execute(args: BenchArgs, output: &mut Output) -> Result<(), Failure> {
    let progress = Progress::spinner();
    let bench = Arc::new(Bench {
        repetitions: args.repetitions,
        progress,
    });
    if args.suite == Some(Suite::SystemCalls) {
        return sandbox::make_calls_without_system_calls().await;
    }
    let mut results: Vec<Measurement> = Vec::new();
    let mut trace = None;
    if args.suite != Some(Suite::Run) {
        results.extend(sandbox::measure(&bench).await?);
    }
    if args.suite != Some(Suite::Sandbox) {
        let (facts, measurements) = run::measure(&bench, args.trace.as_deref()).await?;
        trace = Some(facts);
        results.extend(measurements);
    }
    bench.progress.finish();
    let machine = Machine::this();
    BenchReport {
        schema: report::SCHEMA,
        machine,
        repetitions: args.repetitions,
        trace,
        results,
    }
    .print(output)
}

/// How everything is measured.
#[derive(Debug)]
struct Bench {
    repetitions: u32,
    progress: Progress,
}

impl Bench {
    /// The median time, in nanoseconds, of one of the `n` operations that `work` does.
    ///
    /// A first repetition warms caches up and does not count.
    fn median_ns<E>(&self, n: u64, work: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
        Ok(self.series_ns(n, work)?.median())
    }

    /// The times, in nanoseconds, of one of the `n` operations that `work` does.
    ///
    /// A first repetition warms caches up and does not count.
    fn series_ns<E>(&self, n: u64, mut work: impl FnMut() -> Result<(), E>) -> Result<Series, E> {
        let mut times = Vec::with_capacity(self.repetitions as usize);
        work()?;
        for _ in 0..self.repetitions {
            times.push(timed_ns(n, &mut work)?);
        }
        Ok(Series::of(times))
    }

    /// Lets two things take turns, each of which says how long it took.
    ///
    /// A first turn warms caches up and does not count.
    fn pair(
        turns: u32,
        mut subject: impl FnMut() -> Result<f64, Failure>,
        mut baseline: impl FnMut() -> Result<f64, Failure>,
    ) -> Result<Pair, Failure> {
        let (mut subjects, mut baselines) = (Vec::new(), Vec::new());
        subject()?;
        baseline()?;
        for _ in 0..turns {
            subjects.push(subject()?);
            baselines.push(baseline()?);
        }
        Ok(Pair::of(subjects, baselines))
    }
}

/// The processor time, in nanoseconds, of one of the `n` operations that `work` does.
fn timed_ns<E>(n: u64, work: &mut impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    let start = thread_seconds();
    work()?;
    Ok((thread_seconds() - start) * 1e9 / float(n))
}

/// Measures on a thread of its own, so that Ctrl-C and `--timeout` still work.
async fn on_thread<T: Send + 'static>(
    bench: &Arc<Bench>,
    work: impl FnOnce(&Bench) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let bench = Arc::clone(bench);
    let result = tokio::task::spawn_blocking(move || work(&bench)).await;
    result.unwrap_or_else(|panic| Err(Failure::new(Exit::Error, panic.to_string())))
}

/// Processor time that this thread has used, in seconds.
fn thread_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).map_or(f64::NAN, |time| time.as_secs_f64())
}

/// A count as a number that can be divided.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn float(n: u64) -> f64 {
    n as f64
}
