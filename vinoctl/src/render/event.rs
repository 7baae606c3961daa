//! Events of a run, one line each.

use vino_proto::v1::{Event, Evicted, EvictionOutcome, TxnAborted, event::Kind};

use super::enum_name;
use crate::output::grouped;

/// How a person reads one event.
pub(crate) fn event_line(event: &Event) -> String {
    let text = match &event.kind {
        None => "an event that this vinoctl does not know".to_string(),
        Some(Kind::RunStarted(started)) => format!(
            "run started: {} references, {} frames, seed {}",
            grouped(started.references_total),
            grouped(started.frames.into()),
            started.seed
        ),
        Some(Kind::GraftAttached(attached)) => {
            format!(
                "graft {} attached to {} of {}",
                attached.graft, attached.point, attached.process
            )
        }
        Some(Kind::Evicted(evicted)) => evicted_text(evicted),
        Some(Kind::TxnCommitted(txn)) => format!(
            "txn {} committed: {} at {}, {} undo and {} commit records",
            txn.txn, txn.graft, txn.point, txn.undo_records, txn.commit_records
        ),
        Some(Kind::TxnAborted(txn)) => aborted_text(txn),
        Some(Kind::GraftRemoved(removed)) => format!(
            "graft {} removed from {}: {}; the default serves",
            removed.graft, removed.point, removed.reason
        ),
        Some(Kind::SwapExhausted(exhausted)) => format!(
            "swap space exhausted: page {} of {} at reference {}",
            exhausted.page,
            exhausted.process,
            grouped(exhausted.reference)
        ),
        Some(Kind::MemoryExhausted(exhausted)) => format!(
            "memory exhausted, all of it wired: page {} of {} at reference {}",
            exhausted.page,
            exhausted.process,
            grouped(exhausted.reference)
        ),
        Some(Kind::PagesWritten(written)) => format!(
            "{} pages written to swap from slot {} on, at reference {}",
            written.pages.len(),
            written.first_slot,
            grouped(written.reference)
        ),
        Some(Kind::RunFinished(finished)) => format!(
            "run finished: {} references, {} faults, {} evictions",
            grouped(finished.references),
            grouped(finished.faults),
            grouped(finished.evictions)
        ),
    };
    format!("{:>10}  {text}", event.seq)
}

fn evicted_text(evicted: &Evicted) -> String {
    let outcome = EvictionOutcome::try_from(evicted.outcome).unwrap_or_default();
    let outcome = enum_name(outcome.as_str_name(), "EVICTION_OUTCOME_");
    let mut text = format!(
        "evicted page {} of {} at reference {}: {outcome}",
        evicted.page, evicted.process, evicted.reference
    );
    if evicted.proposed_page != evicted.page {
        text.push_str(&format!(
            ", the kernel proposed page {}",
            evicted.proposed_page
        ));
    }
    if evicted.txn != 0 {
        text.push_str(&format!(", txn {}", evicted.txn));
    }
    text
}

fn aborted_text(txn: &TxnAborted) -> String {
    let state = if txn.state_restored {
        "state restored"
    } else {
        "STATE NOT RESTORED"
    };
    let mut text = format!(
        "txn {} aborted: {} at {}: {}; {} records undone, {state}",
        txn.txn, txn.graft, txn.point, txn.reason, txn.undo_records
    );
    if !txn.fault.is_empty() {
        text.push_str(&format!("; {}", txn.fault));
    }
    text
}
