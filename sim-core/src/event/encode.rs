//! The canonical encoding of events, and the log that a kernel writes.
//!
//! An event is a tag byte and variable-length integers. Evictions and commits, which are nearly all
//! events, say in their tag what follows and give references, pages and transactions as steps from
//! the event before, so that an eviction takes three to six bytes. Every chunk starts afresh.
use super::EventChunk;
use super::kinds::{Commit, Event, Eviction, EvictionOutcome};
use super::varint::{put, put_step};
use crate::ids::{PageNo, TxnId, VasId};

/// A chunk is sealed once it has so many bytes.
pub const CHUNK_BYTES: usize = 64 * 1024;
/// A chunk that holds anything is sealed after so many references, so that watchers see events.
pub const CHUNK_REFERENCES: u64 = 1 << 18;

/// Tags of events that are rare.
pub(super) mod tag {
    pub(crate) const RUN_STARTED: u8 = 0;
    pub(crate) const GRAFT_ATTACHED: u8 = 1;
    pub(crate) const TXN_ABORTED: u8 = 2;
    pub(crate) const GRAFT_REMOVED: u8 = 3;
    pub(crate) const PAGES_WRITTEN: u8 = 4;
    pub(crate) const SWAP_EXHAUSTED: u8 = 5;
    pub(crate) const MEMORY_EXHAUSTED: u8 = 6;
    pub(crate) const RUN_FINISHED: u8 = 7;
    /// `TxnAborted` of a transaction with a parent or children, which are given first.
    pub(crate) const NESTED_TXN_ABORTED: u8 = 8;
    /// `TxnCommitted`; the bits below say what follows.
    pub(crate) const COMMITTED: u8 = 0x40;
    /// The transaction is not the one after the last: its number follows.
    pub(crate) const COMMITTED_TXN: u8 = 0x01;
    /// Graft and point differ from those of the last commit and follow.
    pub(crate) const COMMITTED_GRAFT: u8 = 0x02;
    /// There are undo records: their number follows.
    pub(crate) const COMMITTED_UNDO: u8 = 0x04;
    /// There is not exactly one commit record: their number follows.
    pub(crate) const COMMITTED_RECORDS: u8 = 0x08;
    /// The transaction ran inside another one: that one's number follows.
    pub(crate) const COMMITTED_NESTED: u8 = 0x10;
    /// `Evicted`; its low three bits are the outcome, the bits below say what follows.
    pub(crate) const EVICTED: u8 = 0x80;
    pub(crate) const EVICTED_OUTCOME: u8 = 0x07;
    /// The address space is not that of the last eviction: it follows.
    pub(crate) const EVICTED_VAS: u8 = 0x08;
    /// A graft was asked.
    pub(crate) const EVICTED_TXN: u8 = 0x10;
    /// The transaction is not the last one committed or aborted: its number follows.
    pub(crate) const EVICTED_OTHER_TXN: u8 = 0x20;
    /// The page had been modified.
    pub(crate) const EVICTED_MODIFIED: u8 = 0x40;
}

/// What an event is encoded relative to; both sides keep it alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    pub(super) reference: u64,
    pub(super) page: u32,
    pub(super) vas: u32,
    pub(super) txn: u64,
    pub(super) graft: u32,
    pub(super) point: u8,
}

impl Context {
    pub(super) const START: Context = Context {
        reference: 0,
        page: 0,
        vas: 0,
        txn: 0,
        graft: u32::MAX,
        point: u8::MAX,
    };
}

/// The event log of a kernel: encodes into the current chunk and seals it when it is full.
#[derive(Debug)]
pub(crate) struct EventLog {
    bytes: Vec<u8>,
    context: Context,
    first_seq: u64,
    count: u32,
    next_boundary: u64,
    digest: blake3::Hasher,
    sealed: Vec<EventChunk>,
}

impl EventLog {
    pub(crate) fn new() -> EventLog {
        EventLog {
            bytes: Vec::with_capacity(CHUNK_BYTES + CHUNK_SLACK_BYTES),
            context: Context::START,
            first_seq: 0,
            count: 0,
            next_boundary: CHUNK_REFERENCES,
            digest: blake3::Hasher::new(),
            sealed: Vec::new(),
        }
    }

    /// Events written so far.
    pub(crate) fn events(&self) -> u64 {
        self.first_seq + u64::from(self.count)
    }

    /// Hash of the encoding of all events in sealed chunks.
    pub(crate) fn digest(&self) -> [u8; 32] {
        *self.digest.finalize().as_bytes()
    }

    /// Takes the chunks that are full.
    pub(crate) fn take_sealed(&mut self) -> impl Iterator<Item = EventChunk> + '_ {
        self.sealed.drain(..)
    }

    /// Ends the current chunk, if it holds anything.
    pub(crate) fn seal(&mut self) {
        if self.count == 0 {
            return;
        }
        self.digest.update(&self.bytes);
        let capacity = CHUNK_BYTES + CHUNK_SLACK_BYTES;
        let bytes = std::mem::replace(&mut self.bytes, Vec::with_capacity(capacity));
        self.sealed.push(EventChunk {
            first_seq: self.first_seq,
            count: self.count,
            bytes,
        });
        self.first_seq += u64::from(self.count);
        self.count = 0;
        self.context = Context::START;
    }

    /// Tells the log the time, which ends a chunk at every boundary.
    #[inline]
    pub(crate) fn pass_reference(&mut self, reference: u64) {
        if reference >= self.next_boundary {
            self.seal();
            self.next_boundary = (reference / CHUNK_REFERENCES + 1) * CHUNK_REFERENCES;
        }
    }

    /// Writes an eviction.
    #[inline]
    pub(crate) fn evicted(&mut self, eviction: &Eviction) {
        let context = &mut self.context;
        let mut tag = tag::EVICTED | eviction.outcome as u8;
        if eviction.vas.0 != context.vas {
            tag |= tag::EVICTED_VAS;
        }
        if let Some(txn) = eviction.txn {
            tag |= tag::EVICTED_TXN;
            if txn.number() != context.txn {
                tag |= tag::EVICTED_OTHER_TXN;
            }
        }
        if eviction.modified {
            tag |= tag::EVICTED_MODIFIED;
        }
        self.bytes.push(tag);
        put(&mut self.bytes, eviction.reference - context.reference);
        context.reference = eviction.reference;
        if tag & tag::EVICTED_VAS != 0 {
            put(&mut self.bytes, u64::from(eviction.vas.0));
            context.vas = eviction.vas.0;
        }
        put_step(&mut self.bytes, context.page, eviction.page.0);
        context.page = eviction.page.0;
        if matches!(eviction.outcome, EvictionOutcome::Override) {
            put_step(&mut self.bytes, eviction.page.0, eviction.proposed.0);
        }
        if tag & tag::EVICTED_OTHER_TXN != 0
            && let Some(txn) = eviction.txn
        {
            put(&mut self.bytes, txn.number());
            context.txn = txn.number();
        }
        self.end_event();
    }

    /// Writes a commit.
    #[inline]
    pub(crate) fn committed(&mut self, commit: &Commit) {
        let context = &mut self.context;
        let point = commit.point as u8;
        let other_graft = commit.graft.0 != context.graft || point != context.point;
        let other_txn = commit.txn.number() != context.txn + 1;
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let tag = tag::COMMITTED
            | flag(other_txn, tag::COMMITTED_TXN)
            | flag(other_graft, tag::COMMITTED_GRAFT)
            | flag(commit.undo_records != 0, tag::COMMITTED_UNDO)
            | flag(commit.commit_records != 1, tag::COMMITTED_RECORDS)
            | flag(commit.parent.is_some(), tag::COMMITTED_NESTED);
        context.txn = commit.txn.number();
        (context.graft, context.point) = (commit.graft.0, point);
        self.bytes.push(tag);
        if other_txn {
            put(&mut self.bytes, commit.txn.number());
        }
        if other_graft {
            put(&mut self.bytes, u64::from(commit.graft.0));
            self.bytes.push(point);
        }
        if commit.undo_records != 0 {
            put(&mut self.bytes, u64::from(commit.undo_records));
        }
        if commit.commit_records != 1 {
            put(&mut self.bytes, u64::from(commit.commit_records));
        }
        if let Some(parent) = commit.parent {
            put(&mut self.bytes, parent.number());
        }
        self.end_event();
    }

    /// Writes any event.
    pub(crate) fn write(&mut self, event: &Event) {
        match *event {
            Event::Evicted(ref eviction) => self.evicted(eviction),
            Event::TxnCommitted(ref commit) => self.committed(commit),
            _ => {
                put_rare(&mut self.bytes, event);
                self.end_event();
            }
        }
    }

    #[inline]
    fn end_event(&mut self) {
        self.count += 1;
        if self.bytes.len() >= CHUNK_BYTES {
            self.seal();
        }
    }
}

/// Room for the event that fills a chunk, so that it rarely grows.
const CHUNK_SLACK_BYTES: usize = 1024;

fn put_string(bytes: &mut Vec<u8>, text: &str) {
    put(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

fn put_txn(bytes: &mut Vec<u8>, txn: Option<TxnId>) {
    put(bytes, txn.map_or(0, TxnId::number));
}

/// Writes an event that is given in full, without steps.
fn put_rare(bytes: &mut Vec<u8>, event: &Event) {
    match event {
        Event::Evicted(_) | Event::TxnCommitted(_) => {
            unreachable!("written by their own methods")
        }
        Event::RunStarted {
            frames,
            processes,
            references_total,
            seed,
        } => {
            bytes.push(tag::RUN_STARTED);
            put(bytes, u64::from(*frames));
            put(bytes, u64::from(*processes));
            put(bytes, *references_total);
            put(bytes, *seed);
        }
        Event::GraftAttached {
            graft,
            name,
            point,
            vas,
            object,
        } => {
            bytes.push(tag::GRAFT_ATTACHED);
            put(bytes, u64::from(graft.0));
            put_string(bytes, name);
            bytes.push(*point as u8);
            put(bytes, vas.map_or(0, |vas| u64::from(vas.0) + 1));
            bytes.extend_from_slice(object);
        }
        Event::TxnAborted { .. } | Event::GraftRemoved { .. } => put_misbehaviour(bytes, event),
        Event::PagesWritten {
            reference,
            first_slot,
            pages,
        } => {
            bytes.push(tag::PAGES_WRITTEN);
            put(bytes, *reference);
            put(bytes, *first_slot);
            put(bytes, pages.len() as u64);
            for (vas, page) in pages {
                put(bytes, u64::from(vas.0));
                put(bytes, u64::from(page.0));
            }
        }
        Event::SwapExhausted {
            reference,
            vas,
            page,
        } => put_failed_fault(bytes, tag::SWAP_EXHAUSTED, *reference, *vas, *page),
        Event::MemoryExhausted {
            reference,
            vas,
            page,
        } => put_failed_fault(bytes, tag::MEMORY_EXHAUSTED, *reference, *vas, *page),
        Event::RunFinished {
            counters,
            state_digest,
        } => {
            bytes.push(tag::RUN_FINISHED);
            for value in counters.to_array() {
                put(bytes, value);
            }
            bytes.extend_from_slice(state_digest);
        }
    }
}

fn put_misbehaviour(bytes: &mut Vec<u8>, event: &Event) {
    match event {
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
        } => {
            if parent.is_some() || *children > 0 {
                bytes.push(tag::NESTED_TXN_ABORTED);
                put_txn(bytes, *parent);
                put(bytes, u64::from(*children));
            } else {
                bytes.push(tag::TXN_ABORTED);
            }
            put(bytes, *reference);
            put(bytes, txn.number());
            put(bytes, u64::from(graft.0));
            bytes.extend_from_slice(&[*point as u8, *reason as u8, u8::from(*state_restored)]);
            put(bytes, u64::from(*undo_records));
            put_string(bytes, fault);
        }
        Event::GraftRemoved {
            reference,
            graft,
            point,
            reason,
            txn,
        } => {
            bytes.push(tag::GRAFT_REMOVED);
            put(bytes, *reference);
            put(bytes, u64::from(graft.0));
            bytes.extend_from_slice(&[*point as u8, *reason as u8]);
            put_txn(bytes, *txn);
        }
        _ => unreachable!("the caller matched the kind"),
    }
}

fn put_failed_fault(bytes: &mut Vec<u8>, tag: u8, reference: u64, vas: VasId, page: PageNo) {
    bytes.push(tag);
    put(bytes, reference);
    put(bytes, u64::from(vas.0));
    put(bytes, u64::from(page.0));
}
