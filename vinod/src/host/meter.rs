//! The stopwatch around graft invocations.

use std::time::Instant;

use sim_core::run::Meter;

/// Empty measurements from which the stopwatch's own cost is taken.
const CALIBRATION_ROUNDS: u32 = 64;

/// Measures how long invocations take on the wall clock, its own cost deducted.
///
/// The result goes into a run's totals, never into its events.
#[derive(Debug)]
pub(super) struct Stopwatch {
    overhead_ns: u64,
    started: Instant,
    total_ns: u64,
    invocations: u64,
}

impl Stopwatch {
    pub(super) fn new() -> Stopwatch {
        let mut watch = Stopwatch {
            overhead_ns: 0,
            started: Instant::now(),
            total_ns: 0,
            invocations: 0,
        };
        let mut least = u64::MAX;
        for _ in 0..CALIBRATION_ROUNDS {
            watch.total_ns = 0;
            watch.start();
            watch.stop();
            least = least.min(watch.total_ns);
        }
        Stopwatch {
            overhead_ns: least,
            total_ns: 0,
            invocations: 0,
            ..watch
        }
    }

    /// The mean of what was measured; 0 if nothing was.
    pub(super) fn ns_per_invocation(&self) -> f64 {
        if self.invocations == 0 {
            return 0.0;
        }
        self.total_ns as f64 / self.invocations as f64
    }
}

impl Meter for Stopwatch {
    fn start(&mut self) {
        self.started = Instant::now();
    }

    fn stop(&mut self) {
        let elapsed = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.total_ns += elapsed.saturating_sub(self.overhead_ns);
        self.invocations += 1;
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
}
