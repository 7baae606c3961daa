//! What was measured, as JSON and as a table.

use serde::Serialize;

use crate::failure::Failure;
use crate::output::{Column, Output, grouped, number, text};

/// All measurements and where they were made.
#[derive(Debug, Serialize)]
pub(super) struct BenchReport {
    pub(super) machine: Machine,
    pub(super) repetitions: u32,
    pub(super) trace: Option<TraceFacts>,
    pub(super) results: Vec<Measurement>,
}

/// The machine.
#[derive(Debug, Serialize)]
pub(super) struct Machine {
    cpu: String,
    cores: usize,
    kernel: String,
}

/// The trace of the run suite.
#[derive(Debug, Serialize)]
pub(super) struct TraceFacts {
    pub(super) name: String,
    pub(super) requests: u64,
    pub(super) pages: u64,
    pub(super) frames: u32,
    pub(super) fault_ratio: f64,
}

/// One number beside its baseline.
#[derive(Debug, Serialize)]
pub(super) struct Measurement {
    pub(super) name: &'static str,
    pub(super) value: f64,
    pub(super) unit: Unit,
    pub(super) baseline: &'static str,
    pub(super) baseline_value: f64,
    pub(super) ratio: f64,
    pub(super) bar: Option<f64>,
    pub(super) met: Option<bool>,
}

/// What a number counts, and which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Unit {
    /// Nanoseconds: less is better.
    #[serde(rename = "ns")]
    Nanoseconds,
    /// Millions of references in a second: more is better.
    #[serde(rename = "M references/s")]
    MegaReferences,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::Nanoseconds => "ns",
            Unit::MegaReferences => "M references/s",
        }
    }
}

impl Measurement {
    /// Compares a number with its baseline and, if there is one, with the bar it should reach.
    pub(super) fn new(
        name: &'static str,
        (value, unit): (f64, Unit),
        (baseline, baseline_value): (&'static str, f64),
        bar: Option<f64>,
    ) -> Measurement {
        let met = bar.map(|bar| match unit {
            Unit::Nanoseconds => value <= bar,
            Unit::MegaReferences => value >= bar,
        });
        let ratio = value / baseline_value;
        Measurement {
            name,
            value,
            unit,
            baseline,
            baseline_value,
            ratio,
            bar,
            met,
        }
    }

    fn row(&self) -> Vec<String> {
        let bar = match (self.unit, self.bar) {
            (_, None) => "-".to_string(),
            (Unit::Nanoseconds, Some(bar)) => format!("<= {bar}"),
            (Unit::MegaReferences, Some(bar)) => format!(">= {bar}"),
        };
        let met = match self.met {
            None => "-",
            Some(true) => "yes",
            Some(false) => "NO",
        };
        vec![
            self.name.to_string(),
            format!("{:.2}", self.value),
            self.unit.name().to_string(),
            bar,
            met.to_string(),
            self.baseline.to_string(),
            format!("{:.2}", self.baseline_value),
            format!("{:.2}", self.ratio),
        ]
    }
}

impl Machine {
    /// This machine, as Linux describes it.
    pub(super) fn this() -> Machine {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
            .map_or("unknown", |(_, model)| model.trim());
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Machine {
            cpu: model.to_string(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: release.trim().to_string(),
        }
    }
}

impl BenchReport {
    /// Prints the report.
    pub(super) fn print(&self, output: &mut Output) -> Result<(), Failure> {
        const COLUMNS: &[Column] = &[
            text("WHAT"),
            number("VALUE"),
            text("UNIT"),
            number("BAR"),
            text("MET"),
            text("BASELINE"),
            number("ITS VALUE"),
            number("RATIO"),
        ];
        if !output.is_table() {
            return output.document(self);
        }
        output.table(COLUMNS, self.results.iter().map(Measurement::row))?;
        output.line("")?;
        if let Some(trace) = &self.trace {
            output.line(&format!(
                "trace {}: {} requests for {} pages on {} frames, {:.0} % fault",
                trace.name,
                grouped(trace.requests),
                grouped(trace.pages),
                grouped(trace.frames.into()),
                trace.fault_ratio * 100.0
            ))?;
        }
        output.line(&format!(
            "{}, {} cores, Linux {}; medians of {} repetitions; log off and calls in \
             processor time, log durable in wall time",
            self.machine.cpu, self.machine.cores, self.machine.kernel, self.repetitions
        ))?;
        output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_a_ceiling_for_times_and_a_floor_for_rates() {
        let time = |value| Measurement::new("t", (value, Unit::Nanoseconds), ("b", 1.0), Some(5.0));
        assert_eq!((time(4.0).met, time(6.0).met), (Some(true), Some(false)));
        let rate =
            |value| Measurement::new("r", (value, Unit::MegaReferences), ("b", 1.0), Some(5.0));
        assert_eq!((rate(4.0).met, rate(6.0).met), (Some(false), Some(true)));
    }
}
