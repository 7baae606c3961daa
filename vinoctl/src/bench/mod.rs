//! `bench`: the speeds that VINO promises, each beside a baseline from the same process.
//!
//! [`sandbox`] measures calls into a graft and out of it against native indirect calls;
//! [`run`] measures whole runs against a bare CLOCK loop over flat arrays. A number is the median
//! of several repetitions. A missed bar is reported, not an error.
//!
//! What runs on one thread is timed by that thread's processor clock, so that other work on the
//! machine costs a measurement its caches but not its turn; what involves a daemon and a disk is
//! timed by the clock on the wall.

mod clock;
mod durable;
mod report;
mod run;
mod sandbox;
mod workload;

use std::sync::Arc;
use std::time::Duration;

use self::report::{BenchReport, Machine, Measurement};
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
    fn median_ns<E>(&self, n: u64, mut work: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
        let mut times = Vec::with_capacity(self.repetitions as usize);
        work()?;
        for _ in 0..self.repetitions {
            let start = thread_seconds();
            work()?;
            times.push((thread_seconds() - start) * 1e9 / float(n));
        }
        Ok(median(times))
    }
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

/// The middle of `times`; of an even number, the upper of the middle two.
fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A count as a number that can be divided.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn float(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_not_moved_by_an_outlier() {
        assert!((median(vec![3.0, 1.0, 1_000_000.0]) - 3.0).abs() < f64::EPSILON);
    }
}
