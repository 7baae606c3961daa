//! What was measured, as JSON and as a table.
//!
//! `-o json` prints one object. A later version may add fields; one that changes or removes a field
//! has another [`SCHEMA`].
//!
//! | field | holds |
//! |---|---|
//! | `schema` | [`SCHEMA`] |
//! | `machine` | `cpu`, `cores`, `kernel`, and `compiler`, which built grafts and native code |
//! | `repetitions` | what `--repetitions` said |
//! | `trace` | of the run suite, or null: `name`, `requests`, `pages`, `frames`, `fault_ratio` |
//! | `results` | one object for each row |
//!
//! A row has a `name`, which stays the same; its median `value` in `unit`; the quartiles `low` and
//! `high` and the number of `samples` they are of; the `bar` and whether it is `met`, or null; the
//! `baseline`, its `baseline_value` in the same unit and the `ratio` to it, or null; and a `note`
//! or null. More is better where `unit` is a rate (`.../s`), less everywhere else.

use serde::Serialize;

use super::series::{Pair, Series};
use crate::failure::Failure;
use crate::output::{Column, Output, grouped, number, text};
use crate::toolchain;

/// Version of the JSON that `bench` prints.
pub(super) const SCHEMA: u32 = 2;

/// All measurements and where they were made.
#[derive(Debug, Serialize)]
pub(super) struct BenchReport {
    pub(super) schema: u32,
    pub(super) machine: Machine,
    pub(super) repetitions: u32,
    pub(super) trace: Option<TraceFacts>,
    pub(super) results: Vec<Measurement>,
}

/// The machine, and the compiler that served both sides of every comparison.
#[derive(Debug, Serialize)]
pub(super) struct Machine {
    cpu: String,
    cores: usize,
    kernel: String,
    compiler: String,
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

/// One row: a number, what it should be, and what it is compared with.
#[derive(Debug, Serialize)]
pub(super) struct Measurement {
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) unit: Unit,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) samples: usize,
    pub(super) bar: Option<f64>,
    pub(super) met: Option<bool>,
    pub(super) baseline: Option<&'static str>,
    pub(super) baseline_value: Option<f64>,
    pub(super) ratio: Option<f64>,
    pub(super) note: Option<String>,
}

/// What a number counts, and which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Unit {
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanoseconds,
    /// Microseconds.
    #[serde(rename = "us")]
    Microseconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Times as much.
    #[serde(rename = "x")]
    Ratio,
    /// Hundredths.
    #[serde(rename = "%")]
    Percent,
    /// 1024 bytes.
    #[serde(rename = "KiB")]
    Kibibytes,
    /// Things that are counted.
    #[serde(rename = "count")]
    Count,
    /// Mebibytes in a second: more is better.
    #[serde(rename = "MiB/s")]
    Mebibytes,
    /// Millions of references in a second: more is better.
    #[serde(rename = "M references/s")]
    MegaReferences,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::Nanoseconds => "ns",
            Unit::Microseconds => "us",
            Unit::Milliseconds => "ms",
            Unit::Ratio => "x",
            Unit::Percent => "%",
            Unit::Kibibytes => "KiB",
            Unit::Count => "count",
            Unit::Mebibytes => "MiB/s",
            Unit::MegaReferences => "M references/s",
        }
    }

    fn more_is_better(self) -> bool {
        matches!(self, Unit::Mebibytes | Unit::MegaReferences)
    }

    /// Digits after the point that mean something.
    fn digits(self) -> usize {
        match self {
            Unit::Ratio => 3,
            Unit::Count | Unit::Mebibytes => 0,
            Unit::Percent | Unit::Kibibytes | Unit::MegaReferences => 1,
            Unit::Nanoseconds | Unit::Microseconds | Unit::Milliseconds => 2,
        }
    }
}

impl Measurement {
    /// Compares a number with its baseline and, if there is one, with the bar it should reach.
    pub(super) fn new(
        name: &str,
        (value, unit): (f64, Unit),
        (baseline, baseline_value): (&'static str, f64),
        bar: Option<f64>,
    ) -> Measurement {
        let measurement = Measurement::of(name, unit, &Series::single(value));
        let measurement = measurement.against(baseline, baseline_value);
        bar.into_iter().fold(measurement, Measurement::bar)
    }

    /// The median of a series.
    pub(super) fn of(name: &str, unit: Unit, series: &Series) -> Measurement {
        Measurement {
            name: name.to_string(),
            value: series.median(),
            unit,
            low: series.quantile(1, 4),
            high: series.quantile(3, 4),
            samples: series.len(),
            bar: None,
            met: None,
            baseline: None,
            baseline_value: None,
            ratio: None,
            note: None,
        }
    }

    /// The median of what took turns with its baseline.
    pub(super) fn paired(
        name: &str,
        unit: Unit,
        pair: &Pair,
        baseline: &'static str,
    ) -> Measurement {
        let mut measurement = Measurement::of(name, unit, &pair.subject);
        measurement.baseline = Some(baseline);
        measurement.baseline_value = Some(pair.baseline.median());
        measurement.ratio = Some(pair.ratio.median());
        measurement
    }

    /// Says what the value should reach.
    pub(super) fn bar(mut self, bar: f64) -> Measurement {
        self.bar = Some(bar);
        self.met = Some(match self.unit.more_is_better() {
            true => self.value >= bar,
            false => self.value <= bar,
        });
        self
    }

    /// Says what the value is compared with.
    pub(super) fn against(mut self, baseline: &'static str, value: f64) -> Measurement {
        self.baseline = Some(baseline);
        self.baseline_value = Some(value);
        self.ratio = Some(self.value / value);
        self
    }

    /// Says what else there is to know.
    pub(super) fn note(mut self, note: impl Into<String>) -> Measurement {
        self.note = Some(note.into());
        self
    }

    fn row(&self) -> Vec<String> {
        let digits = self.unit.digits();
        let shown = |value: f64| format!("{value:.digits$}");
        let maybe = |cell: Option<String>| cell.unwrap_or_else(|| "-".to_string());
        let direction = if self.unit.more_is_better() {
            ">="
        } else {
            "<="
        };
        let spread = (self.samples > 1).then(|| {
            let (low, high) = (shown(self.low), shown(self.high));
            format!("{low}..{high}")
        });
        let met = self
            .met
            .map(|met| if met { "yes" } else { "NO" }.to_string());
        vec![
            self.name.clone(),
            shown(self.value),
            self.unit.name().to_string(),
            maybe(spread),
            maybe(self.bar.map(|bar| format!("{direction} {bar}"))),
            maybe(met),
            maybe(self.baseline.map(ToString::to_string)),
            maybe(self.baseline_value.map(shown)),
            maybe(self.ratio.map(|ratio| format!("{ratio:.3}"))),
        ]
    }
}

impl Machine {
    /// This machine, as Linux and the compiler describe it.
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
            compiler: toolchain::compiler_version().unwrap_or_else(|_| "unknown".to_string()),
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
            number("QUARTILES"),
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
        for result in &self.results {
            if let Some(note) = &result.note {
                output.line(&format!("{}: {note}", result.name))?;
            }
        }
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
        let machine = &self.machine;
        output.line(&format!(
            "{}, {} cores, Linux {}, {}",
            machine.cpu, machine.cores, machine.kernel, machine.compiler
        ))?;
        output.line(&format!(
            "medians, of {} repetitions or a multiple of them; log off, calls and code in \
             processor time, log durable in wall time",
            self.repetitions
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
