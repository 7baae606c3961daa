//! Runs.

use vino_proto::v1::{Run, RunState, RunSummary};

use super::{NOTHING, enum_name, time};
use crate::output::{Column, Printable, grouped, number, text};

impl Printable for Run {
    const COLUMNS: &'static [Column] = &[
        text("ID"),
        text("KERNEL"),
        text("TRACE"),
        text("GRAFTS"),
        text("STATE"),
        number("REFERENCES"),
        number("FAULTS"),
        number("EVICTIONS"),
        number("OVERRIDES"),
        number("COMMITS"),
        number("ABORTS"),
    ];

    fn name(&self) -> String {
        self.id.clone()
    }

    fn row(&self) -> Vec<String> {
        let spec = self.spec.clone().unwrap_or_default();
        let traces: Vec<&str> = spec.workloads.iter().map(|work| &*work.trace).collect();
        let grafts: Vec<&str> = self.grafts.iter().map(|graft| &*graft.name).collect();
        let state = RunState::try_from(self.state).unwrap_or_default();
        let references = self
            .progress
            .as_ref()
            .map_or(0, |progress| progress.references);
        let count = |get: fn(&RunSummary) -> u64| {
            self.summary
                .as_ref()
                .map_or(NOTHING.to_string(), |summary| grouped(get(summary)))
        };
        vec![
            self.id.clone(),
            spec.kernel,
            or_nothing(traces.join(",")),
            or_nothing(grafts.join(",")),
            run_state(state),
            self.summary.as_ref().map_or_else(
                || grouped(references),
                |summary| grouped(summary.references),
            ),
            count(|summary| summary.faults),
            count(|summary| summary.evictions),
            count(|summary| summary.overrides),
            count(|summary| summary.commits),
            count(|summary| summary.aborts),
        ]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        let mut details = vec![("submitted", time(self.submit_time.as_ref()))];
        details.push(("finished", time(self.finish_time.as_ref())));
        if let Some(summary) = &self.summary {
            details.push(("not found", grouped(summary.not_found)));
            if summary.failed_faults > 0 {
                let failed = grouped(summary.failed_faults);
                details.push(("failed faults", format!("{failed}: no swap space was left")));
            }
            if summary.ns_per_invocation > 0.0 {
                let ns = format!("{:.1} ns", summary.ns_per_invocation);
                details.push(("an invocation", ns));
            }
            details.push(("elapsed", format!("{:.3} s", seconds(summary.elapsed_us))));
            details.push(("events", grouped(summary.events)));
            details.push(("log", format!("{} B", grouped(summary.log_bytes))));
            details.push(("event digest", summary.event_digest.clone()));
            details.push(("state digest", summary.state_digest.clone()));
        }
        if let Some(error) = &self.error {
            details.push(("error", format!("{}: {}", error.reason, error.message)));
        }
        details
    }
}

/// The name of a run's state.
pub(crate) fn run_state(state: RunState) -> String {
    enum_name(state.as_str_name(), "RUN_STATE_")
}

fn or_nothing(text: String) -> String {
    if text.is_empty() {
        NOTHING.to_string()
    } else {
        text
    }
}

fn seconds(microseconds: u64) -> f64 {
    std::time::Duration::from_micros(microseconds).as_secs_f64()
}
