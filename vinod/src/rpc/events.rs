//! Events between the kernel's form and messages.

use sim_core::event::{Counters, Event, EvictionOutcome};
use sim_core::ids::TxnId;
use vino_proto::v1::{self, event::Kind};

use crate::host::{Divergence, EventFilter, EventKind, EventNames, ReplayReport};

/// Which events a client wants.
pub(super) fn filter(filter: Option<v1::EventFilter>) -> EventFilter {
    let filter = filter.unwrap_or_default();
    let kinds = filter.kinds().filter_map(event_kind).collect();
    let process = Some(filter.process).filter(|process| !process.is_empty());
    EventFilter {
        kinds,
        process,
        page: filter.page,
    }
}

fn event_kind(kind: v1::EventKind) -> Option<EventKind> {
    match kind {
        v1::EventKind::Unspecified => None,
        v1::EventKind::RunStarted => Some(EventKind::RunStarted),
        v1::EventKind::GraftAttached => Some(EventKind::GraftAttached),
        v1::EventKind::Evicted => Some(EventKind::Evicted),
        v1::EventKind::TxnCommitted => Some(EventKind::TxnCommitted),
        v1::EventKind::TxnAborted => Some(EventKind::TxnAborted),
        v1::EventKind::GraftRemoved => Some(EventKind::GraftRemoved),
        v1::EventKind::SwapExhausted => Some(EventKind::SwapExhausted),
        v1::EventKind::RunFinished => Some(EventKind::RunFinished),
        v1::EventKind::PagesWritten => Some(EventKind::PagesWritten),
        v1::EventKind::MemoryExhausted => Some(EventKind::MemoryExhausted),
    }
}

/// An event with the names behind its numbers.
pub(super) fn event(seq: u64, event: Event, names: &EventNames) -> v1::Event {
    let kind = match event {
        Event::RunStarted {
            frames,
            processes,
            references_total,
            seed,
        } => Kind::RunStarted(v1::RunStarted {
            frames,
            references_total,
            seed,
            processes,
        }),
        Event::GraftAttached {
            name,
            point,
            vas,
            object,
            ..
        } => Kind::GraftAttached(v1::GraftAttached {
            graft: name,
            point: point.info().name.to_owned(),
            process: match vas {
                Some(vas) => names.process(vas).to_owned(),
                None => sim_core::config::KERNEL_PROCESS.to_owned(),
            },
            object_digest: sim_core::ids::to_hex(&object),
        }),
        event
        @ (Event::TxnCommitted(_) | Event::TxnAborted { .. } | Event::GraftRemoved { .. }) => {
            transaction(event, names)
        }
        Event::RunFinished {
            counters,
            state_digest,
        } => Kind::RunFinished(run_finished(&counters, &state_digest)),
        event => paging(event, names),
    };
    v1::Event {
        seq,
        kind: Some(kind),
    }
}

/// Events about grafts' transactions.
fn transaction(event: Event, names: &EventNames) -> Kind {
    match event {
        Event::TxnCommitted(commit) => Kind::TxnCommitted(v1::TxnCommitted {
            txn: commit.txn.number(),
            parent: number(commit.parent),
            graft: names.graft(commit.graft).to_owned(),
            point: commit.point.info().name.to_owned(),
            undo_records: commit.undo_records,
            commit_records: commit.commit_records,
        }),
        Event::TxnAborted {
            reference,
            txn,
            parent,
            children,
            graft,
            point,
            reason,
            fault,
            undo_records,
            state_restored,
        } => Kind::TxnAborted(v1::TxnAborted {
            txn: txn.number(),
            parent: number(parent),
            children,
            graft: names.graft(graft).to_owned(),
            point: point.info().name.to_owned(),
            reason: reason.to_string(),
            fault,
            undo_records,
            state_restored,
            reference,
        }),
        Event::GraftRemoved {
            reference,
            graft,
            point,
            reason,
            txn,
        } => Kind::GraftRemoved(v1::GraftRemoved {
            graft: names.graft(graft).to_owned(),
            point: point.info().name.to_owned(),
            reason: reason.to_string(),
            txn: number(txn),
            reference,
        }),
        other => paging(other, names),
    }
}

/// The number of a transaction, 0 for none.
fn number(txn: Option<TxnId>) -> u64 {
    txn.map_or(0, TxnId::number)
}

/// Events about pages.
fn paging(event: Event, names: &EventNames) -> Kind {
    match event {
        Event::Evicted(eviction) => Kind::Evicted(v1::Evicted {
            reference: eviction.reference,
            process: names.process(eviction.vas).to_owned(),
            page: names.page(eviction.vas, eviction.page),
            proposed_page: names.page(eviction.vas, eviction.proposed),
            outcome: eviction_outcome(eviction.outcome).into(),
            txn: number(eviction.txn),
            modified: eviction.modified,
        }),
        Event::PagesWritten {
            reference,
            first_slot,
            pages,
        } => Kind::PagesWritten(v1::PagesWritten {
            reference,
            first_slot,
            pages: pages
                .into_iter()
                .map(|(vas, page)| v1::WrittenPage {
                    process: names.process(vas).to_owned(),
                    page: names.page(vas, page),
                })
                .collect(),
        }),
        Event::SwapExhausted {
            reference,
            vas,
            page,
        } => Kind::SwapExhausted(v1::SwapExhausted {
            reference,
            process: names.process(vas).to_owned(),
            page: names.page(vas, page),
        }),
        Event::MemoryExhausted {
            reference,
            vas,
            page,
        } => Kind::MemoryExhausted(v1::MemoryExhausted {
            reference,
            process: names.process(vas).to_owned(),
            page: names.page(vas, page),
        }),
        other => unreachable!("{other:?} is not about a page"),
    }
}

fn eviction_outcome(outcome: EvictionOutcome) -> v1::EvictionOutcome {
    match outcome {
        EvictionOutcome::Default => v1::EvictionOutcome::Default,
        EvictionOutcome::Accepted => v1::EvictionOutcome::Accepted,
        EvictionOutcome::Override => v1::EvictionOutcome::Override,
        EvictionOutcome::NotFound => v1::EvictionOutcome::NotFound,
        EvictionOutcome::SwapFull => v1::EvictionOutcome::SwapFull,
    }
}

fn run_finished(counters: &Counters, state_digest: &[u8; 32]) -> v1::RunFinished {
    v1::RunFinished {
        references: counters.references,
        faults: counters.faults,
        evictions: counters.evictions,
        invocations: counters.invocations,
        overrides: counters.overrides,
        commits: counters.commits,
        aborts: counters.aborts,
        not_found: counters.not_found,
        state_digest: sim_core::ids::to_hex(state_digest),
        failed_faults: counters.failed_faults,
        pages_written: counters.pages_written,
    }
}

/// What a replay came to.
pub(super) fn replay_report(report: ReplayReport) -> v1::ReplayReport {
    let identical = report.is_identical();
    let names = report.names;
    let divergence = |divergence: Divergence| {
        let side = |found: Option<Event>| found.map(|found| event(divergence.seq, found, &names));
        v1::ReplayDivergence {
            seq: divergence.seq,
            stored: side(divergence.stored),
            replayed: side(divergence.replayed),
        }
    };
    v1::ReplayReport {
        identical,
        events: report.events,
        divergence: report.divergence.map(divergence),
        stored_state_digest: report.stored_state_digest,
        replayed_state_digest: report.replayed_state_digest,
    }
}
