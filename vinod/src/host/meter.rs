//! The stopwatch around graft invocations.

use std::time::Instant;

use sim_core::run::Meter;

/// Empty measurements from which the stopwatch's own cost is taken.
const CALIBRATION_ROUNDS: u32 = 64;
/// Measurements that are kept; beyond these, the latest.
const SAMPLES_MAX: usize = 64 << 10;

/// Measures how long invocations take on the wall clock, its own cost deducted.
///
/// The result is their median: the few that the machine interrupts, or that end in a fault, are a
/// thousand times the rest, and would be all that a mean shows. It goes into a run's totals, never
/// into its events.
#[derive(Debug)]
pub(super) struct Stopwatch {
    overhead_ns: u64,
    started: Instant,
    /// Nanoseconds; once full, the oldest is overwritten.
    samples: Vec<u64>,
    oldest: usize,
}

impl Stopwatch {
    pub(super) fn new() -> Stopwatch {
        let mut watch = Stopwatch {
            overhead_ns: 0,
            started: Instant::now(),
            samples: Vec::with_capacity(SAMPLES_MAX),
            oldest: 0,
        };
        for _ in 0..CALIBRATION_ROUNDS {
            watch.start();
            watch.stop();
        }
        watch.overhead_ns = watch.samples.iter().copied().min().unwrap_or(0);
        watch.samples.clear();
        watch
    }

    /// The median of what was measured; 0 if nothing was.
    pub(super) fn ns_per_invocation(&self) -> f64 {
        let mut samples = self.samples.clone();
        if samples.is_empty() {
            return 0.0;
        }
        let middle = samples.len() / 2;
        *samples.select_nth_unstable(middle).1 as f64
    }
}

impl Meter for Stopwatch {
    fn start(&mut self) {
        self.started = Instant::now();
    }

    fn stop(&mut self) {
        let elapsed = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let sample = elapsed.saturating_sub(self.overhead_ns);
        if self.samples.len() < SAMPLES_MAX {
            self.samples.push(sample);
        } else {
            self.samples[self.oldest] = sample;
            self.oldest = (self.oldest + 1) % SAMPLES_MAX;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_measured_is_zero_and_something_is_not() {
        let mut watch = Stopwatch::new();
        assert_eq!(watch.ns_per_invocation(), 0.0);
        watch.start();
        let before = Instant::now();
        while before.elapsed().as_micros() < 50 {}
        watch.stop();
        assert!(watch.ns_per_invocation() > 10_000.0);
    }

    #[test]
    fn one_interrupted_invocation_does_not_hide_the_others() {
        let mut watch = Stopwatch::new();
        watch.samples = vec![20, 5_000_000, 22];
        assert_eq!(watch.ns_per_invocation(), 22.0);
    }

    #[test]
    fn the_samples_are_bounded_and_the_oldest_give_way() {
        let mut watch = Stopwatch::new();
        watch.samples = vec![u64::MAX; SAMPLES_MAX];
        for _ in 0..SAMPLES_MAX {
            watch.start();
            watch.stop();
        }
        assert_eq!(watch.samples.len(), SAMPLES_MAX);
        assert!(watch.samples.iter().all(|&sample| sample < u64::MAX));
    }
}
