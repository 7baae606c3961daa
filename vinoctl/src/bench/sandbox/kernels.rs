//! Nine kernels in a sandbox against the same source as native code, in turns.

use vino_sandbox::NoHost;

use super::graft::{self, Lab};
use super::native::Native;
use super::programs::Programs;
use crate::bench::report::{Measurement, Unit};
use crate::bench::series::Series;
use crate::bench::{Bench, thread_seconds};
use crate::failure::{Exit, Failure};

/// Turns for each repetition that was asked for: ratios of a few percent need many.
const TURNS_PER_REPETITION: u32 = 6;
/// What the geometric mean of the ratios may be.
const MEAN_RATIO_MAX: f64 = 1.03;
/// What any of the ratios may be.
const WORST_RATIO_MAX: f64 = 1.08;

const BASELINE: &str = "gcc -O2, native, same source";

/// A kernel and how much of it takes some milliseconds.
const KERNELS: &[(&str, u64)] = &[
    ("md5", 40_000),
    ("sha256", 25_000),
    ("qsort", 60_000),
    ("quicksort", 80_000),
    ("matmul", 3),
    ("chase", 1_500_000),
    ("crc32", 2_500_000),
    ("fib", 32),
    ("hash", 2_500_000),
];

/// Measures all kernels, and what they come to.
pub(super) fn measure(
    bench: &Bench,
    lab: &Lab,
    programs: &Programs,
    native: &mut Native,
) -> Result<Vec<Measurement>, Failure> {
    let mut instance = lab.load(&programs.kernels, graft::patient())?;
    let mut results = Vec::new();
    let mut ratios = Vec::new();
    let turns = bench.repetitions * TURNS_PER_REPETITION;
    for &(name, amount) in KERNELS {
        bench.progress.message(&format!("kernel {name}"));
        let entry = graft::entry(&instance, &format!("bench_{name}"))?;
        let request = format!("run {name} {amount}");
        let expected = native.ask(&request)?.checksum;
        let pair = Bench::pair(
            turns,
            || {
                let start = thread_seconds();
                let sum = graft::call(&mut instance, entry, &[amount], &mut NoHost)?;
                let ns = (thread_seconds() - start) * 1e9;
                if sum == expected {
                    Ok(ns / 1e3)
                } else {
                    Err(disagreement(name, sum, expected))
                }
            },
            || Ok(native.ask(&request)?.ns / 1e3),
        )?;
        ratios.push((name, pair.ratio.clone()));
        let name = format!("kernel {name}");
        results.push(Measurement::paired(
            &name,
            Unit::Microseconds,
            &pair,
            BASELINE,
        ));
    }
    results.extend(summary(&ratios).into_iter().flatten());
    Ok(results)
}

/// The geometric mean and the worst of the ratios.
fn summary(ratios: &[(&str, Series)]) -> Option<[Measurement; 2]> {
    let medians = || ratios.iter().map(|(name, ratio)| (*name, ratio.median()));
    let mean = geometric_mean(&medians().map(|(_, ratio)| ratio).collect::<Vec<_>>());
    let (worst, ratio) = medians().max_by(|one, other| one.1.total_cmp(&other.1))?;
    let geomean = Measurement::of(
        "nine kernels, geometric mean",
        Unit::Ratio,
        &Series::single(mean),
    );
    let worst_row = Measurement::of("nine kernels, worst", Unit::Ratio, &Series::single(ratio));
    Some([
        geomean.against(BASELINE, 1.0).bar(MEAN_RATIO_MAX),
        worst_row
            .against(BASELINE, 1.0)
            .bar(WORST_RATIO_MAX)
            .note(worst),
    ])
}

/// The geometric mean of positive numbers.
pub(super) fn geometric_mean(values: &[f64]) -> f64 {
    let logs: f64 = values.iter().map(|value| value.ln()).sum();
    (logs / super::float(values.len() as u64)).exp()
}

fn disagreement(name: &str, sum: u64, expected: u64) -> Failure {
    let message =
        format!("kernel {name} computed {sum:#x} in the sandbox and {expected:#x} natively");
    Failure::new(Exit::Error, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_geometric_mean_of_a_ratio_and_its_inverse_is_one() {
        assert!((geometric_mean(&[2.0, 0.5]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_worst_kernel_is_named() {
        let ratios = [("a", Series::single(1.02)), ("b", Series::single(1.2))];
        let [mean, worst] = summary(&ratios).expect("two kernels");
        assert_eq!((mean.met, worst.met), (Some(false), Some(false)));
        assert_eq!(worst.note.as_deref(), Some("b"));
    }
}
