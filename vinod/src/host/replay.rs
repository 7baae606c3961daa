//! Replay: a stored run is executed again, and every event compared with the stored one.
//!
//! Nothing but the store is consulted. Invocations that the CPU ended (a fault, a deadline) are
//! not executed again: an aborted transaction changed nothing, so its recorded verdict is all
//! there is to replay.

use std::collections::VecDeque;

use sim_core::{
    config::GRAFT_DEADLINE_MAX,
    event::{Event, EventChunk, EventSink, SinkClosed, decode_chunk},
    ids::to_hex,
    run::{NoMeter, Progress, RecordedVerdict, Run},
};

use super::{EventNames, Host, HostError, runs::EVENT_FORMAT};
use crate::{
    error_chain,
    store::{LogError, LogReader, RunLog, RunRecord, RunState},
};

/// References between two reports of progress.
const SLICE_REFERENCES: u64 = 1 << 18;

/// The first difference between a stored run and its replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Divergence {
    /// Where it is.
    pub(crate) seq: u64,
    /// The stored event; `None` if the log ends here.
    pub(crate) stored: Option<Event>,
    /// The replayed event; `None` if the replay ends here.
    pub(crate) replayed: Option<Event>,
}

/// What a replay came to.
#[derive(Clone, Debug)]
pub(crate) struct ReplayReport {
    /// Events that are equal.
    pub(crate) events: u64,
    /// The first difference, if there is one.
    pub(crate) divergence: Option<Divergence>,
    /// Digest of the stored final state; empty if the run did not succeed.
    pub(crate) stored_state_digest: String,
    /// Digest of the replayed final state; empty if the run did not succeed.
    pub(crate) replayed_state_digest: String,
    /// The names behind the numbers in the events.
    pub(crate) names: EventNames,
}

impl ReplayReport {
    /// Whether events and final state are equal.
    pub(crate) fn is_identical(&self) -> bool {
        self.divergence.is_none() && self.stored_state_digest == self.replayed_state_digest
    }
}

impl Host {
    /// Replays a finished run; `progress` is told how many of how many events were compared, and
    /// answers whether anybody still wants the result.
    ///
    /// # Errors
    ///
    /// Fails if the run is not finished or never started, if its log is damaged, or if nobody
    /// wants the result.
    pub(crate) fn replay_run(
        &self,
        id: &str,
        mut progress: impl FnMut(u64, u64) -> bool,
    ) -> Result<ReplayReport, HostError> {
        let record = self.run_by_id(id)?;
        check_replayable(&record)?;
        let log = self.logs.open(&self.store, record.number)?;
        let (events_total, verdicts) = check_log(&log, &record)?;
        let mut spec = self.run_spec(&record, verdicts)?;
        // Which invocations missed their deadline is recorded; the others kept it then, and a
        // slower moment must not end them now.
        spec.kernel.graft_deadline = GRAFT_DEADLINE_MAX;
        let mut run = Run::new(spec, &self.engine).map_err(|error| HostError::Machine {
            what: "cannot start the replay",
            problem: error_chain(&error),
        })?;
        let recorded_bases = record.grafts.iter().map(|graft| graft.base);
        let has_moved = !recorded_bases.eq(run.bases().into_iter().map(Some));
        let complete = record.state == RunState::Succeeded;
        let mut compared = Comparison {
            reader: log.reader(0)?,
            stored: VecDeque::new(),
            complete,
            events: 0,
            end: None,
        };
        loop {
            if !progress(compared.events, events_total) {
                return Err(HostError::ShuttingDown);
            }
            match run.step(SLICE_REFERENCES, &mut compared, &mut NoMeter) {
                Ok(Progress::Running { .. }) => {}
                Ok(Progress::Finished) => {
                    compared.finish();
                    break;
                }
                Err(error) if compared.end.is_none() => {
                    return Err(HostError::Machine {
                        what: "the replay stopped",
                        problem: error_chain(&error),
                    });
                }
                Err(_) => break,
            }
        }
        let totals = record.totals.as_ref().filter(|_| complete);
        let diverged = matches!(compared.end, Some(Ok(Some(_))));
        if diverged && has_moved {
            return Err(moved(&record));
        }
        let replayed_state_digest = match totals {
            Some(_) if !diverged => to_hex(&run.summary().state_digest),
            _ => String::new(),
        };
        Ok(ReplayReport {
            events: compared.events,
            divergence: compared.end.transpose()?.flatten(),
            stored_state_digest: totals
                .filter(|_| !diverged)
                .map_or_else(String::new, |totals| totals.state_digest.clone()),
            replayed_state_digest,
            names: self.event_names(&record)?,
        })
    }
}

/// A graft that computes with addresses is only comparable at the address it had.
fn moved(record: &RunRecord) -> HostError {
    let id = record.id();
    HostError::WrongState {
        reason: "REPLAY_ADDRESS_IN_USE",
        problem: format!(
            "run {id} differs, but a graft of it could not have the address it had: another run \
             or replay uses it; replay {id} again when that has ended"
        ),
    }
}

fn check_replayable(record: &RunRecord) -> Result<(), HostError> {
    let refuse = |reason, problem| Err(HostError::WrongState { reason, problem });
    let id = record.id();
    if !record.state.is_final() {
        let problem = format!("run {id} is not finished: wait for it, or cancel it");
        return refuse("RUN_NOT_FINISHED", problem);
    }
    if record.started_ms.is_none() {
        let problem = format!("run {id} never started: there is nothing to replay");
        return refuse("RUN_NOT_STARTED", problem);
    }
    if record.event_format != EVENT_FORMAT {
        let problem = format!(
            "run {id} was logged in event format {} and this vinod writes {EVENT_FORMAT}: \
             replay it with the vinod that ran it",
            record.event_format
        );
        return refuse("EVENT_FORMAT_DIFFERS", problem);
    }
    Ok(())
}

/// Reads the whole log, checks its chain and its end, and collects the CPU's verdicts.
fn check_log(log: &RunLog, record: &RunRecord) -> Result<(u64, Vec<RecordedVerdict>), HostError> {
    let without_aborts = record
        .totals
        .as_ref()
        .is_some_and(|totals| totals.aborts == 0);
    let mut verdicts = Vec::new();
    let mut events = 0;
    let mut reader = log.reader(0)?;
    while let Some(chunk) = reader.read_chunk()? {
        events = chunk.next_seq();
        if without_aborts {
            continue;
        }
        for event in decode_chunk(chunk.first_seq, &chunk.bytes) {
            let (_, event) = event.map_err(|error| damaged(error.seq, error.problem))?;
            verdicts.extend(RecordedVerdict::from_event(&event));
        }
    }
    if record.totals.is_some() {
        reader.check_end()?;
    }
    // A run that failed has no totals, but what it had written must still be there.
    if events < record.events_durable {
        return Err(LogError::Missing {
            expected: events,
            found: record.events_durable,
        }
        .into());
    }
    Ok((events, verdicts))
}

fn damaged(seq: u64, what: &'static str) -> HostError {
    LogError::Chunk { seq, what }.into()
}

/// Takes the replay's events and compares them with the stored ones.
struct Comparison {
    reader: LogReader,
    /// Decoded stored events that were not compared yet.
    stored: VecDeque<(u64, Event)>,
    /// The stored log reaches to the end of the run; otherwise it is a beginning of it.
    complete: bool,
    events: u64,
    /// Set when there is nothing more to compare: why, or the first difference.
    end: Option<Result<Option<Divergence>, HostError>>,
}

impl Comparison {
    /// Compares a chunk; false when there is nothing more to compare.
    fn compare(&mut self, chunk: &EventChunk) -> Result<bool, HostError> {
        if self.stored.is_empty() {
            let Some(stored) = self.reader.read_chunk()? else {
                return self.stored_log_ended(chunk);
            };
            // Equal bytes are equal events, and nearly all chunks are equal.
            if stored.first_seq == chunk.first_seq
                && stored.count == chunk.count
                && stored.bytes == chunk.bytes
            {
                self.events += u64::from(chunk.count);
                return Ok(true);
            }
            self.decode(stored.first_seq, &stored.bytes)?;
        }
        for replayed in decode_chunk(chunk.first_seq, &chunk.bytes) {
            let (seq, replayed) = replayed.map_err(|error| damaged(error.seq, error.problem))?;
            let Some((_, stored)) = self.next_stored()? else {
                return Ok(self.end_at(seq, None, Some(replayed)));
            };
            if stored != replayed {
                return Ok(self.diverge(seq, Some(stored), Some(replayed)));
            }
            self.events += 1;
        }
        Ok(true)
    }

    fn next_stored(&mut self) -> Result<Option<(u64, Event)>, HostError> {
        if self.stored.is_empty()
            && let Some(chunk) = self.reader.read_chunk()?
        {
            self.decode(chunk.first_seq, &chunk.bytes)?;
        }
        Ok(self.stored.pop_front())
    }

    fn decode(&mut self, first_seq: u64, bytes: &[u8]) -> Result<(), HostError> {
        for event in decode_chunk(first_seq, bytes) {
            let event = event.map_err(|error| damaged(error.seq, error.problem))?;
            self.stored.push_back(event);
        }
        Ok(())
    }

    fn stored_log_ended(&mut self, chunk: &EventChunk) -> Result<bool, HostError> {
        let replayed = decode_chunk(chunk.first_seq, &chunk.bytes).next();
        let replayed = replayed.transpose();
        let replayed = replayed.map_err(|error| damaged(error.seq, error.problem))?;
        Ok(self.end_at(chunk.first_seq, None, replayed.map(|(_, event)| event)))
    }

    /// The stored log has no more events: a difference only if it should have.
    fn end_at(&mut self, seq: u64, stored: Option<Event>, replayed: Option<Event>) -> bool {
        if self.complete {
            return self.diverge(seq, stored, replayed);
        }
        self.end = Some(Ok(None));
        false
    }

    fn diverge(&mut self, seq: u64, stored: Option<Event>, replayed: Option<Event>) -> bool {
        self.end = Some(Ok(Some(Divergence {
            seq,
            stored,
            replayed,
        })));
        false
    }

    /// The replay has ended: the stored log must not go on.
    fn finish(&mut self) {
        match self.next_stored() {
            Ok(None) => self.end = Some(Ok(None)),
            Ok(Some((seq, stored))) => {
                self.diverge(seq, Some(stored), None);
            }
            Err(error) => self.end = Some(Err(error)),
        }
    }
}

impl EventSink for Comparison {
    fn chunk(&mut self, chunk: EventChunk) -> Result<(), SinkClosed> {
        match self.compare(&chunk) {
            Ok(true) => Ok(()),
            Ok(false) => Err(SinkClosed),
            Err(error) => {
                self.end = Some(Err(error));
                Err(SinkClosed)
            }
        }
    }
}
