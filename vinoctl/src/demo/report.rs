//! What the demo found out, as JSON and as text for a newcomer.

use serde::Serialize;
use vino_proto::v1::Run;

use super::assets;
use crate::failure::{Exit, Failure};
use crate::output::{Column, Output, grouped, number, text};

/// The demo's findings.
#[derive(Debug, Serialize)]
pub(super) struct DemoReport {
    pub(super) trace: TraceFacts,
    pub(super) frames: u32,
    pub(super) runs: Vec<PolicyRun>,
    pub(super) optimum_faults: u64,
    pub(super) misbehaved: Vec<Misbehaved>,
    pub(super) replay: Replay,
}

/// The workload.
#[derive(Debug, Serialize)]
pub(super) struct TraceFacts {
    pub(super) name: String,
    pub(super) requests: u64,
    pub(super) pages: u64,
}

/// The trace under one policy.
#[derive(Debug, Serialize)]
pub(super) struct PolicyRun {
    policy: &'static str,
    faults: u64,
    evictions: u64,
    invocations: u64,
    overrides: u64,
    commits: u64,
    aborts: u64,
    ns_per_invocation: f64,
}

/// What became of one hostile graft.
#[derive(Debug, Serialize)]
pub(super) struct Misbehaved {
    pub(super) graft: &'static str,
    #[serde(skip)]
    pub(super) tried: &'static str,
    pub(super) abort_reason: String,
    #[serde(skip)]
    pub(super) fault: String,
    pub(super) state_restored: bool,
    pub(super) default_served: bool,
}

/// The comparison of all runs with their replays.
#[derive(Debug, Serialize)]
pub(super) struct Replay {
    pub(super) events: u64,
    pub(super) identical: bool,
}

impl PolicyRun {
    /// Takes the numbers of a finished run.
    pub(super) fn new(policy: &'static str, run: &Run) -> Result<PolicyRun, Failure> {
        let summary = run.summary.as_ref().ok_or_else(|| {
            Failure::new(
                Exit::Error,
                format!("run {} ended without a summary", run.id),
            )
        })?;
        Ok(PolicyRun {
            policy,
            faults: summary.faults,
            evictions: summary.evictions,
            invocations: summary.invocations,
            overrides: summary.overrides,
            commits: summary.commits,
            aborts: summary.aborts,
            ns_per_invocation: summary.ns_per_invocation,
        })
    }
}

impl DemoReport {
    /// Prints the report.
    pub(super) fn print(&self, output: &mut Output) -> Result<(), Failure> {
        if !output.is_table() {
            return output.document(self);
        }
        self.introduction(output)?;
        self.policies(output)?;
        self.hostile(output)?;
        self.conclusion(output)?;
        output.flush()
    }

    fn introduction(&self, output: &mut Output) -> Result<(), Failure> {
        output.line(assets::TRACE.what)?;
        output.line(&format!(
            "{} requests for {} pages; the simulated kernel has memory for {}, so pages are \
             evicted.",
            grouped(self.trace.requests),
            grouped(self.trace.pages),
            grouped(self.frames.into())
        ))?;
        output.line("")
    }

    fn policies(&self, output: &mut Output) -> Result<(), Failure> {
        const COLUMNS: &[Column] = &[
            text("WHO PICKS THE VICTIM"),
            number("FAULTS"),
            number("OVER OPTIMUM"),
            number("EVICTIONS"),
            number("OVERRIDES"),
            number("COMMITS"),
            number("ABORTS"),
            number("NS/INVOCATION"),
        ];
        let nothing = || "-".to_string();
        let mut rows: Vec<Vec<String>> = Vec::with_capacity(self.runs.len() + 1);
        for run in &self.runs {
            let grafted = run.invocations > 0;
            let count = |n: u64| if grafted { grouped(n) } else { nothing() };
            let time = format!("{:.0}", run.ns_per_invocation);
            rows.push(vec![
                self.title(run),
                grouped(run.faults),
                over(run.faults, self.optimum_faults),
                grouped(run.evictions),
                count(run.overrides),
                count(run.commits),
                count(run.aborts),
                if grafted { time } else { nothing() },
            ]);
        }
        let mut optimum = vec![
            "the optimum, which knows the future".to_string(),
            grouped(self.optimum_faults),
            over(self.optimum_faults, self.optimum_faults),
        ];
        optimum.resize_with(COLUMNS.len(), nothing);
        rows.push(optimum);
        output.table(COLUMNS, rows.into_iter())?;
        output.line("")
    }

    fn title(&self, run: &PolicyRun) -> String {
        if run.invocations == 0 {
            format!("the kernel: {}", run.policy)
        } else {
            format!("the graft {}, native C++", run.policy)
        }
    }

    fn hostile(&self, output: &mut Output) -> Result<(), Failure> {
        const COLUMNS: &[Column] = &[
            text("HOSTILE GRAFT"),
            text("WHAT IT TRIES"),
            text("ABORTED FOR"),
            text("STATE RESTORED"),
            text("DEFAULT SERVED"),
        ];
        let yes_no = |yes: bool| if yes { "yes" } else { "NO" }.to_string();
        output.line(
            "Grafts that misbehave are stopped, what they changed is undone, and they are removed:",
        )?;
        let rows = self.misbehaved.iter().map(|one| {
            vec![
                one.graft.to_string(),
                one.tried.to_string(),
                one.abort_reason.clone(),
                yes_no(one.state_restored),
                yes_no(one.default_served),
            ]
        });
        output.table(COLUMNS, rows)?;
        let recorded = self
            .misbehaved
            .iter()
            .rev()
            .find(|one| !one.fault.is_empty());
        if let Some(Misbehaved { graft, fault, .. }) = recorded {
            output.line(&format!(
                "The log names the culprit, here of {graft}:\n  {fault}"
            ))?;
        }
        output.line("")
    }

    fn conclusion(&self, output: &mut Output) -> Result<(), Failure> {
        output.line(&format!(
            "Replayed all {} runs from the store: {} events, {}.",
            self.runs.len() + self.misbehaved.len(),
            grouped(self.replay.events),
            if self.replay.identical {
                "identical"
            } else {
                "NOT IDENTICAL"
            }
        ))?;
        output.line("")?;
        output.line(
            "Next, by hand: start `vinod`, then `vinoctl point get vas_o::pick_victim`,\n\
             `vinoctl graft build YOUR.C -o your.o`, and on as README.md tells.",
        )
    }
}

/// By how much `faults` exceeds the optimum.
fn over(faults: u64, optimum: u64) -> String {
    let excess = faults.saturating_sub(optimum);
    // Exact below 2^53 faults, far beyond any trace.
    #[expect(clippy::cast_precision_loss, reason = "a percentage with one decimal")]
    let percent = excess as f64 * 100.0 / optimum.max(1) as f64;
    format!("{percent:.1} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_excess_over_the_optimum_is_a_percentage() {
        assert_eq!(over(103_763, 92_675), "12.0 %");
        assert_eq!(over(92_675, 92_675), "0.0 %");
    }
}
