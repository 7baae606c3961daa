//! Reading a run's events: decoded, filtered, and with the names that users gave things.

use std::sync::Arc;

use sim_core::{
    event::{Event, decode_chunk},
    ids::{GraftId, PageNo, VasId},
    workload::Trace,
};

use super::{Host, HostError};
use crate::store::{LogError, LogReader, RunLog, RunRecord};

/// What an event is about, for filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    RunStarted,
    GraftAttached,
    Evicted,
    TxnCommitted,
    TxnAborted,
    GraftRemoved,
    PagesWritten,
    SwapExhausted,
    MemoryExhausted,
    RunFinished,
}

impl EventKind {
    /// The kind of an event.
    pub(crate) fn of(event: &Event) -> EventKind {
        match event {
            Event::RunStarted { .. } => EventKind::RunStarted,
            Event::GraftAttached { .. } => EventKind::GraftAttached,
            Event::Evicted(_) => EventKind::Evicted,
            Event::TxnCommitted(_) => EventKind::TxnCommitted,
            Event::TxnAborted { .. } => EventKind::TxnAborted,
            Event::GraftRemoved { .. } => EventKind::GraftRemoved,
            Event::PagesWritten { .. } => EventKind::PagesWritten,
            Event::SwapExhausted { .. } => EventKind::SwapExhausted,
            Event::MemoryExhausted { .. } => EventKind::MemoryExhausted,
            Event::RunFinished { .. } => EventKind::RunFinished,
        }
    }
}

/// Which events are wanted; what is empty matches everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventFilter {
    /// Events of these kinds.
    pub(crate) kinds: Vec<EventKind>,
    /// Events about pages of this process.
    pub(crate) process: Option<String>,
    /// Events about this page, as the trace numbers it.
    pub(crate) page: Option<u64>,
}

impl EventFilter {
    fn matches(&self, event: &Event, names: &EventNames) -> bool {
        if !self.kinds.is_empty() && !self.kinds.contains(&EventKind::of(event)) {
            return false;
        }
        if self.process.is_none() && self.page.is_none() {
            return true;
        }
        let about = |vas: VasId, page: PageNo| {
            let process = self.process.as_deref();
            process.is_none_or(|process| process == names.process(vas))
                && self.page.is_none_or(|id| id == names.page(vas, page))
        };
        match event {
            Event::Evicted(eviction) => about(eviction.vas, eviction.page),
            Event::SwapExhausted { vas, page, .. } | Event::MemoryExhausted { vas, page, .. } => {
                about(*vas, *page)
            }
            Event::PagesWritten { pages, .. } => pages.iter().any(|(vas, page)| about(*vas, *page)),
            _ => false,
        }
    }
}

/// The names behind the numbers in one run's events.
#[derive(Clone, Debug)]
pub(crate) struct EventNames {
    processes: Vec<String>,
    /// By address space; `None` if its process follows no trace.
    traces: Vec<Option<Arc<Trace>>>,
    grafts: Vec<String>,
}

impl EventNames {
    /// The process of an address space.
    pub(crate) fn process(&self, vas: VasId) -> &str {
        let name = self.processes.get(vas.number() as usize);
        name.map_or("", String::as_str)
    }

    /// A page as its trace numbers it.
    pub(crate) fn page(&self, vas: VasId, page: PageNo) -> u64 {
        let trace = self.traces.get(vas.number() as usize);
        let id = trace
            .and_then(Option::as_ref)
            .and_then(|trace| trace.page_id(page));
        id.unwrap_or_else(|| u64::from(page.number()))
    }

    /// The name of a graft.
    pub(crate) fn graft(&self, graft: GraftId) -> &str {
        let name = self.grafts.get(graft.number() as usize);
        name.map_or("", String::as_str)
    }
}

impl Host {
    /// The names behind the numbers in a run's events.
    ///
    /// # Errors
    ///
    /// Fails if a trace of the run cannot be read.
    pub(crate) fn event_names(&self, run: &RunRecord) -> Result<EventNames, HostError> {
        let mut traces = Vec::new();
        for process in &run.settings.processes {
            let load = run.workloads.iter().find(|load| load.process == *process);
            let trace = load
                .map(|load| self.decoded_trace(&load.blob))
                .transpose()?;
            traces.push(trace);
        }
        Ok(EventNames {
            processes: run.settings.processes.clone(),
            traces,
            grafts: run.grafts.iter().map(|graft| graft.name.clone()).collect(),
        })
    }

    /// Starts reading a run's events at `from_seq`.
    ///
    /// # Errors
    ///
    /// Fails if the log or a trace cannot be read.
    pub(crate) fn select_events(
        &self,
        run: &RunRecord,
        from_seq: u64,
        filter: EventFilter,
    ) -> Result<Selected, HostError> {
        let log = self.logs.open(&self.store, run.number)?;
        Ok(Selected {
            cursor: LogCursor::all(&log, from_seq)?,
            names: self.event_names(run)?,
            filter,
            events_total: run.totals.as_ref().map_or(0, |totals| totals.events),
        })
    }
}

/// The events of a run that pass a filter, chunk by chunk.
#[derive(Debug)]
pub(crate) struct Selected {
    cursor: LogCursor,
    names: EventNames,
    filter: EventFilter,
    /// Events that the run's record says there are; 0 if it is not complete.
    events_total: u64,
}

impl Selected {
    /// Reads the wanted events of the next chunk with events below `end`; `None` if there is
    /// none. With `u64::MAX` everything is read that is there.
    ///
    /// # Errors
    ///
    /// Fails if the chunk is damaged, or missing although the events below `end` are durable.
    pub(crate) fn read(&mut self, end: u64) -> Result<Option<Vec<(u64, Event)>>, HostError> {
        let Selected {
            cursor,
            names,
            filter,
            events_total,
        } = self;
        let events = cursor.read_chunk(end, |event| filter.matches(event, names))?;
        let expected = match end {
            u64::MAX => *events_total,
            end => end,
        };
        if events.is_none() && cursor.next_seq < expected {
            let missing = LogError::Missing {
                expected: cursor.next_seq,
                found: expected,
            };
            return Err(missing.into());
        }
        Ok(events)
    }

    /// The first event that was not read yet.
    pub(crate) fn next_seq(&self) -> u64 {
        self.cursor.next_seq
    }

    /// Leaves events out.
    ///
    /// # Errors
    ///
    /// Fails if the log cannot be read.
    pub(crate) fn skip_to(&mut self, seq: u64) -> Result<(), HostError> {
        self.cursor = LogCursor::all(&self.cursor.log, seq)?;
        Ok(())
    }

    /// The names behind the numbers in the events.
    pub(crate) fn names(&self) -> &EventNames {
        &self.names
    }
}

/// A place in a run's log.
#[derive(Debug)]
pub(super) struct LogCursor {
    /// Keeps the log open.
    log: Arc<RunLog>,
    reader: LogReader,
    next_seq: u64,
}

impl LogCursor {
    /// Starts at an event.
    pub(super) fn all(log: &Arc<RunLog>, from_seq: u64) -> Result<LogCursor, HostError> {
        Ok(LogCursor {
            log: Arc::clone(log),
            reader: log.reader(from_seq)?,
            next_seq: from_seq,
        })
    }

    /// Reads the wanted events of the next chunk that has events below `end`; `None` if there is
    /// none yet.
    pub(super) fn read_chunk(
        &mut self,
        end: u64,
        mut wanted: impl FnMut(&Event) -> bool,
    ) -> Result<Option<Vec<(u64, Event)>>, HostError> {
        while self.next_seq < end {
            let Some(chunk) = self.reader.read_chunk()? else {
                return Ok(None);
            };
            if chunk.next_seq() <= self.next_seq {
                continue;
            }
            let next_seq = self.next_seq;
            let events = decode_chunk(chunk.first_seq, &chunk.bytes)
                .filter(|event| match event {
                    Ok((seq, event)) => *seq >= next_seq && wanted(event),
                    Err(_) => true,
                })
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| LogError::Chunk {
                    seq: error.seq,
                    what: error.problem,
                })?;
            self.next_seq = chunk.next_seq();
            return Ok(Some(events));
        }
        Ok(None)
    }
}
