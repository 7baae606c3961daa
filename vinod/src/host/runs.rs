//! Runs: submitted, listed, stopped, deleted, and what they are made of.

use std::{collections::BTreeSet, sync::Arc};

use sim_core::{
    event::{Event, LogLevel},
    run::{GraftSpec, RecordedVerdict, RunSpec, Workload},
};

use super::{
    Host, HostError, KNOWN_NAMES_MAX,
    events::LogCursor,
    grafts::created_by,
    live::{LiveRun, RunProgress, Stop},
    now_ms,
    settings::kernel_config,
};
use crate::store::{
    Batch, Digest, GraftKey, GraftRecord, GraftState, KernelRecord, LogDetail, Record, Removal,
    RequestRecord, RunGraft, RunRecord, RunState, RunWorkload,
};

/// Version of the events' encoding, as `sim_core::event` defines it.
pub(super) const EVENT_FORMAT: u32 = 1;

/// A run to queue.
#[derive(Clone, Debug)]
pub(crate) struct SubmitRun {
    /// The kernel.
    pub(crate) kernel: String,
    /// Processes and the names of the traces they follow.
    pub(crate) workloads: Vec<(String, String)>,
    /// What to log.
    pub(crate) log: LogDetail,
    /// The seed.
    pub(crate) seed: u64,
    /// Leave the kernel's grafts out.
    pub(crate) without_grafts: bool,
    /// The client's identifier of the request; may be empty.
    pub(crate) request_id: String,
}

/// Which runs to list.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunList {
    /// Of this kernel only.
    pub(crate) kernel: Option<String>,
    /// In this state only.
    pub(crate) state: Option<RunState>,
    /// Older than this one only.
    pub(crate) before: Option<u64>,
    /// At most so many.
    pub(crate) limit: usize,
}

impl Host {
    /// Queues a run; a repeated request returns the first one's run.
    ///
    /// # Errors
    ///
    /// Fails if a name is unknown, or too many runs wait for the kernel.
    pub(crate) fn submit_run(self: &Arc<Host>, submit: SubmitRun) -> Result<RunRecord, HostError> {
        let asked = Digest::of(
            format!(
                "{:?}",
                (
                    &submit.kernel,
                    &submit.workloads,
                    submit.log,
                    submit.seed,
                    submit.without_grafts
                )
            )
            .as_bytes(),
        );
        let catalog = self.store.catalog();
        let mut batch = catalog.write()?;
        if let Some(key) = created_by(catalog, &submit.request_id, &asked)?
            && let Some(run) = catalog.get(&key)?
        {
            return Ok(run);
        }
        let kernel = self.kernel(&submit.kernel)?;
        let run = self.draft_run(&submit, &kernel, batch.next_run())?;
        let name = kernel.name.clone();
        // Reserved before anything is written: a run that is recorded has its place.
        self.with_supervisor(&name, |supervisor| supervisor.reserve(&name))?;
        if let Err(error) = self.record_submission(batch, kernel, &run, asked) {
            self.with_supervisor(&name, |supervisor| {
                supervisor.release();
                Ok(())
            })?;
            return Err(error);
        }
        self.with_supervisor(&name, |supervisor| supervisor.enqueue(run.number))?;
        Ok(run)
    }

    fn record_submission(
        &self,
        mut batch: Batch<'_>,
        mut kernel: KernelRecord,
        run: &RunRecord,
        asked: Digest,
    ) -> Result<(), HostError> {
        kernel.runs += 1;
        batch.put(&kernel)?;
        batch.put(run)?;
        if !run.request_id.is_empty() {
            batch.put(&RequestRecord {
                request_id: run.request_id.clone(),
                asked,
                created: run.key(),
            })?;
        }
        batch.claim_space()?;
        // Whoever sees the record finds the live run: it exists before the commit.
        self.live.insert(run.number, run.references_total);
        batch.commit().inspect_err(|_| self.live.end(run.number))?;
        Ok(())
    }

    fn draft_run(
        &self,
        submit: &SubmitRun,
        kernel: &KernelRecord,
        number: u64,
    ) -> Result<RunRecord, HostError> {
        let (workloads, references_total) = self.resolve_workloads(submit, kernel)?;
        let grafts = match submit.without_grafts {
            true => Vec::new(),
            false => self.attached_grafts(&kernel.name)?,
        };
        Ok(RunRecord {
            number,
            kernel: kernel.name.clone(),
            settings: kernel.settings.clone(),
            workloads,
            grafts,
            without_grafts: submit.without_grafts,
            log: submit.log,
            seed: submit.seed,
            event_format: EVENT_FORMAT,
            state: RunState::Queued,
            boot_epoch: self.store.catalog().boot_epoch(),
            submitted_ms: now_ms(),
            started_ms: None,
            finished_ms: None,
            references_total,
            references: 0,
            events_durable: 0,
            totals: None,
            end: None,
            request_id: submit.request_id.clone(),
        })
    }

    fn resolve_workloads(
        &self,
        submit: &SubmitRun,
        kernel: &KernelRecord,
    ) -> Result<(Vec<RunWorkload>, u64), HostError> {
        let invalid = |problem| HostError::Invalid {
            field: "workloads",
            problem,
        };
        if submit.workloads.is_empty() {
            return Err(invalid(
                "no workload: a run needs a trace for at least one process".to_owned(),
            ));
        }
        let processes = &kernel.settings.processes;
        let mut seen = BTreeSet::new();
        let mut workloads = Vec::new();
        let mut references_total = 0;
        for (process, trace) in &submit.workloads {
            if !processes.contains(process) {
                return Err(HostError::NotFound {
                    noun: "process",
                    name: process.clone(),
                    known: processes.iter().take(KNOWN_NAMES_MAX).cloned().collect(),
                });
            }
            if !seen.insert(process) {
                return Err(invalid(format!(
                    "process {process:?} has two workloads: a process runs one trace"
                )));
            }
            let trace = self.trace(trace)?;
            references_total += trace.references;
            workloads.push(RunWorkload {
                process: process.clone(),
                trace: trace.name,
                blob: trace.blob,
            });
        }
        Ok((workloads, references_total))
    }

    fn attached_grafts(&self, kernel: &str) -> Result<Vec<RunGraft>, HostError> {
        let mut grafts = self.collect_grafts(kernel)?;
        grafts.retain(|graft| graft.state == GraftState::Loaded);
        grafts.sort_by_key(|graft| graft.created_ms);
        let attached = |graft: GraftRecord| RunGraft {
            name: graft.name,
            process: graft.process,
            point: graft.point,
            object: graft.object,
            base: None,
        };
        Ok(grafts.into_iter().map(attached).collect())
    }

    /// Reads a run by number.
    ///
    /// # Errors
    ///
    /// Fails if there is none.
    pub(crate) fn run(&self, number: u64) -> Result<RunRecord, HostError> {
        let found = self.store.catalog().get(&RunRecord::key_of(number))?;
        match found {
            Some(run) => Ok(run),
            None => Err(self.no_run(&RunRecord::id_of(number))?),
        }
    }

    /// Reads a run by id.
    ///
    /// # Errors
    ///
    /// Fails if there is none.
    pub(crate) fn run_by_id(&self, id: &str) -> Result<RunRecord, HostError> {
        match RunRecord::parse_id(id) {
            Some(number) => self.run(number),
            None => Err(self.no_run(id)?),
        }
    }

    fn no_run(&self, id: &str) -> Result<HostError, HostError> {
        let mut known = Vec::new();
        self.store
            .catalog()
            .scan_backwards::<RunRecord>(None, |run| {
                known.push(run.id());
                known.len() < KNOWN_NAMES_MAX
            })?;
        Ok(HostError::NotFound {
            noun: RunRecord::NOUN,
            name: id.to_owned(),
            known,
        })
    }

    /// Lists runs, newest first.
    ///
    /// # Errors
    ///
    /// Fails if there is no such kernel, or the store fails.
    pub(crate) fn runs(&self, list: &RunList) -> Result<Vec<RunRecord>, HostError> {
        let mut runs = Vec::new();
        let before = list.before.map(RunRecord::key_of);
        self.store
            .catalog()
            .scan_backwards::<RunRecord>(before.as_deref(), |run| {
                let kernel = list
                    .kernel
                    .as_ref()
                    .is_none_or(|kernel| *kernel == run.kernel);
                if kernel && list.state.is_none_or(|state| state == run.state) {
                    runs.push(run);
                }
                runs.len() < list.limit
            })?;
        if runs.is_empty()
            && list.before.is_none()
            && let Some(kernel) = &list.kernel
        {
            self.kernel(kernel)?;
        }
        Ok(runs)
    }

    /// The live side of a run, while it is queued or executing.
    pub(crate) fn live_run(&self, number: u64) -> Option<Arc<LiveRun>> {
        self.live.get(number)
    }

    /// How far a run is: as it tells now, or as it was recorded at its end.
    pub(crate) fn progress_of(&self, run: &RunRecord) -> RunProgress {
        if let Some(live) = self.live.get(run.number) {
            return live.progress();
        }
        RunProgress {
            references: run.references,
            references_total: run.references_total,
            events: run.events_durable,
            durable: run.events_durable,
            ended: true,
        }
    }

    /// Asks a run to stop; a queued one is cancelled at once.
    ///
    /// # Errors
    ///
    /// Fails if there is no such run, or it is finished.
    pub(crate) fn cancel_run(&self, id: &str) -> Result<RunRecord, HostError> {
        let mut batch = self.store.catalog().write()?;
        let mut run = self.run_by_id(id)?;
        let live = self.live.get(run.number);
        match (run.state, live) {
            (RunState::Queued, Some(live)) => {
                live.stop(Stop::Cancelled);
                run.state = RunState::Cancelled;
                run.finished_ms = Some(now_ms());
                batch.put(&run)?;
                batch.commit()?;
                self.live.end(run.number);
            }
            (RunState::Running, Some(live)) => live.stop(Stop::Cancelled),
            _ => {
                return Err(HostError::WrongState {
                    reason: "RUN_FINISHED",
                    problem: format!("run {id} is finished: there is nothing to cancel"),
                });
            }
        }
        Ok(run)
    }

    /// Deletes a finished run, its log, and the inputs that nothing else uses.
    ///
    /// # Errors
    ///
    /// Fails if there is no such run, it is not finished, or its log is being read.
    pub(crate) fn delete_run(&self, id: &str) -> Result<(), HostError> {
        let busy = |problem: String| HostError::WrongState {
            reason: "RUN_BUSY",
            problem,
        };
        let run = self.run_by_id(id)?;
        if !run.state.is_final() || self.live.get(run.number).is_some() {
            return Err(busy(format!(
                "run {id} is not finished: cancel it with `vinoctl run cancel {id}`"
            )));
        }
        if !self.logs.delete(&self.store, run.number)? {
            return Err(busy(format!(
                "the log of run {id} is being read: try again when it is not"
            )));
        }
        let mut batch = self.store.catalog().write()?;
        batch.delete::<RunRecord>(&run.key())?;
        batch.delete::<RequestRecord>(run.request_id.as_bytes())?;
        batch.commit()?;
        let objects = run.grafts.into_iter().map(|graft| graft.object);
        for blob in objects.chain(run.workloads.into_iter().map(|load| load.blob)) {
            self.release_blob(&blob)?;
        }
        self.store.space().scan()?;
        Ok(())
    }

    pub(super) fn put_run(&self, run: &RunRecord) -> Result<(), HostError> {
        let mut batch = self.store.catalog().write()?;
        batch.put(run)?;
        Ok(batch.commit()?)
    }

    /// Records that a run starts; false if it was cancelled meanwhile.
    pub(super) fn record_start(&self, run: &mut RunRecord) -> Result<bool, HostError> {
        let mut batch = self.store.catalog().write()?;
        if self.run(run.number)?.state.is_final() {
            return Ok(false);
        }
        run.state = RunState::Running;
        run.started_ms = Some(now_ms());
        batch.put(run)?;
        batch.commit()?;
        Ok(true)
    }

    /// Takes grafts out of a run that were detached while it waited.
    pub(super) fn drop_detached_grafts(&self, run: &mut RunRecord) -> Result<(), HostError> {
        let catalog = self.store.catalog();
        let mut attached = Vec::new();
        for graft in std::mem::take(&mut run.grafts) {
            let key = GraftKey::of(&run.kernel, &graft.name);
            let record = catalog.get::<GraftRecord>(&key)?;
            if record.is_some_and(|record| {
                record.state == GraftState::Loaded && record.object == graft.object
            }) {
                attached.push(graft);
            }
        }
        run.grafts = attached;
        Ok(())
    }

    /// Everything the kernel needs to execute a run, read from the store.
    pub(super) fn run_spec(
        &self,
        run: &RunRecord,
        verdicts: Vec<RecordedVerdict>,
    ) -> Result<RunSpec, HostError> {
        let mut workloads = Vec::new();
        for load in &run.workloads {
            workloads.push(Workload {
                process: load.process.clone(),
                trace: self.decoded_trace(&load.blob)?,
            });
        }
        let mut grafts = Vec::new();
        for graft in &run.grafts {
            grafts.push(GraftSpec {
                name: graft.name.clone(),
                point: graft.point.clone(),
                process: graft.process.clone(),
                object: Arc::from(self.store.blobs().read(&graft.object)?),
                base_hint: graft.base,
            });
        }
        Ok(RunSpec {
            kernel: kernel_config(&run.settings),
            workloads,
            grafts,
            log: match run.log {
                LogDetail::Lifecycle => LogLevel::Lifecycle,
                LogDetail::Evictions => LogLevel::Evictions,
            },
            seed: run.seed,
            verdicts,
        })
    }

    /// Records how a run ended, together with the removal of the grafts that misbehaved in it.
    pub(super) fn record_end(&self, run: &RunRecord, removed: &[String]) -> Result<(), HostError> {
        let mut removals = match removed {
            [] => Vec::new(),
            _ => self.collect_removals(run)?,
        };
        // The log of a run that was stopped lacks the last chunk, and with it perhaps the abort.
        for name in removed {
            if !removals.iter().any(|(logged, _)| logged == name) {
                let removal = Removal {
                    run: run.number,
                    txn: 0,
                    reason: "aborted".to_owned(),
                    fault: String::new(),
                };
                removals.push((name.clone(), removal));
            }
        }
        let catalog = self.store.catalog();
        let mut batch = catalog.write()?;
        batch.put(run)?;
        for (name, removal) in removals {
            let key = GraftKey::of(&run.kernel, &name);
            if let Some(mut graft) = catalog.get::<GraftRecord>(&key)?
                && graft.state == GraftState::Loaded
            {
                graft.state = GraftState::Removed;
                graft.removal = Some(removal);
                batch.put(&graft)?;
            }
        }
        Ok(batch.commit()?)
    }

    /// Reads a run's log for the aborts that ended its grafts.
    fn collect_removals(&self, run: &RunRecord) -> Result<Vec<(String, Removal)>, HostError> {
        let log = self.logs.open(&self.store, run.number)?;
        let mut cursor = LogCursor::all(&log, 0)?;
        let mut removals = Vec::new();
        let is_abort = |event: &Event| matches!(event, Event::TxnAborted { .. });
        while let Some(events) = cursor.read_chunk(u64::MAX, is_abort)? {
            for (_, event) in events {
                if let Event::TxnAborted {
                    txn,
                    graft,
                    reason,
                    fault,
                    ..
                } = event
                    && let Some(graft) = run.grafts.get(graft.number() as usize)
                {
                    let removal = Removal {
                        run: run.number,
                        txn: txn.number(),
                        reason: reason.to_string(),
                        fault,
                    };
                    removals.push((graft.name.clone(), removal));
                }
            }
        }
        Ok(removals)
    }
}
