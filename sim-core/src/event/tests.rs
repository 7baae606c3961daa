//! The encoding reads back, is canonical in its size, and survives damage.
use proptest::prelude::*;

use super::encode::{CHUNK_BYTES, CHUNK_REFERENCES};
use super::kinds::{
    AbortReason, Commit, Counters, Event, Eviction, EvictionOutcome, RemovalReason,
};
use super::{EventChunk, EventLog, decode_chunk};
use crate::graft::{POINTS, Point};
use crate::ids::{GraftId, PageNo, TxnId, VasId};

fn point() -> impl Strategy<Value = Point> {
    (0..POINTS.len()).prop_map(|index| POINTS[index].id)
}

fn txn() -> impl Strategy<Value = TxnId> {
    (1..u64::MAX - 1).prop_map(|number| TxnId::new(number).expect("not 0"))
}

fn evicted() -> impl Strategy<Value = Event> {
    let who = (0u64..1 << 40, 0u32..4, any::<u32>(), any::<u32>());
    let how = (0..EvictionOutcome::ALL.len(), proptest::option::of(txn()));
    (who, how, any::<bool>()).prop_map(|((reference, vas, page, other), (how, txn), modified)| {
        let outcome = EvictionOutcome::ALL[how];
        let proposed = match outcome {
            EvictionOutcome::Override => other,
            _ => page,
        };
        Event::Evicted(Eviction {
            reference,
            vas: VasId(vas),
            page: PageNo(page),
            proposed: PageNo(proposed),
            outcome,
            txn,
            modified,
        })
    })
}

fn committed() -> impl Strategy<Value = Event> {
    let counts = (0u32..3, 0u32..3);
    let txns = (txn(), proptest::option::weighted(0.2, txn()));
    (txns, 0u32..4, point(), counts).prop_map(|((txn, parent), graft, point, counts)| {
        Event::TxnCommitted(Commit {
            txn,
            parent,
            graft: GraftId(graft),
            point,
            undo_records: counts.0,
            commit_records: counts.1,
        })
    })
}

fn aborted() -> impl Strategy<Value = Event> {
    let reason = 0..AbortReason::ALL.len();
    let rest = (any::<u64>(), any::<u32>(), any::<bool>(), ".{0,40}");
    let family = (txn(), proptest::option::of(txn()), 0u32..3);
    (family, point(), reason, rest).prop_map(|(family, point, reason, rest)| Event::TxnAborted {
        reference: rest.0,
        txn: family.0,
        parent: family.1,
        children: family.2,
        graft: GraftId(rest.1),
        point,
        reason: AbortReason::ALL[reason],
        fault: rest.3,
        undo_records: rest.1,
        state_restored: rest.2,
    })
}

fn rare() -> impl Strategy<Value = Event> {
    let numbers = (any::<u64>(), any::<u64>(), any::<u32>(), any::<u32>());
    let kind = (0u8..6, point(), proptest::option::of(txn()));
    (kind, numbers, "[a-z_]{0,20}").prop_map(|((kind, point, txn), (a, b, c, d), name)| {
        let (vas, page) = (VasId(c), PageNo(d));
        match kind {
            0 => Event::RunStarted {
                frames: c,
                processes: d,
                references_total: a,
                seed: b,
            },
            1 => Event::GraftAttached {
                graft: GraftId(c),
                name,
                point,
                vas: (d % 2 == 0).then_some(VasId(d / 2)),
                object: *blake3::hash(&a.to_le_bytes()).as_bytes(),
            },
            2 => Event::GraftRemoved {
                reference: a,
                graft: GraftId(c),
                point,
                reason: match d % 2 {
                    0 => RemovalReason::Aborted,
                    _ => RemovalReason::Unloaded,
                },
                txn,
            },
            3 => Event::PagesWritten {
                reference: a,
                first_slot: b,
                pages: vec![(vas, page); (c % 17) as usize],
            },
            4 => Event::SwapExhausted {
                reference: a,
                vas,
                page,
            },
            _ => Event::MemoryExhausted {
                reference: a,
                vas,
                page,
            },
        }
    })
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![4 => evicted(), 4 => committed(), 1 => aborted(), 2 => rare()]
}

/// Evictions are written in the order of time; the other kinds may name any reference.
fn in_order(mut events: Vec<Event>) -> Vec<Event> {
    let mut now = 0;
    for event in &mut events {
        if let Event::Evicted(eviction) = event {
            now = now.max(eviction.reference);
            eviction.reference = now;
        }
    }
    events
}

fn encode(events: &[Event], seal_every: usize) -> Vec<EventChunk> {
    let mut log = EventLog::new();
    for (index, event) in events.iter().enumerate() {
        log.write(event);
        if index % seal_every == seal_every - 1 {
            log.seal();
        }
    }
    log.seal();
    log.take_sealed().collect()
}

fn decode(chunks: &[EventChunk]) -> Vec<Event> {
    let chunks = chunks.iter();
    let events = chunks.flat_map(|chunk| decode_chunk(chunk.first_seq, &chunk.bytes));
    let events = events.enumerate().map(|(index, event)| {
        let (seq, event) = event.expect("the encoding reads back");
        assert_eq!(seq, index as u64);
        event
    });
    events.collect()
}

proptest! {
    #[test]
    fn events_read_back_wherever_chunks_end(
        events in proptest::collection::vec(event(), 1..60),
        seal_every in 1usize..20,
    ) {
        let events = in_order(events);
        prop_assert_eq!(decode(&encode(&events, seal_every)), events);
    }

    #[test]
    fn damaged_bytes_give_an_error_and_never_a_panic(
        events in proptest::collection::vec(event(), 1..20),
        at in any::<prop::sample::Index>(),
        value in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = encode(&in_order(events), 100).remove(0).bytes;
        let at = at.index(bytes.len());
        bytes[at] = value;
        bytes.truncate(cut.index(bytes.len()) + 1);
        let decoded: Vec<_> = decode_chunk(7, &bytes).collect();
        let errors = decoded.iter().filter(|event| event.is_err()).count();
        prop_assert!(errors <= 1, "reading ends at the first error");
    }

    #[test]
    fn random_bytes_give_an_error_and_never_a_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        prop_assert!(decode_chunk(0, &bytes).count() <= bytes.len());
    }
}

#[test]
fn the_end_of_a_run_reads_back() {
    let counters = Counters::from_array([1, 2, 3, 4, 5, 6, 7, 8, 9, u64::MAX]);
    let event = Event::RunFinished {
        counters,
        state_digest: [0xab; 32],
    };
    assert_eq!(decode(&encode(std::slice::from_ref(&event), 1)), [event]);
}

#[test]
fn a_cut_event_says_which_and_where() {
    let events: Vec<Event> = (0..2)
        .map(|page| Event::SwapExhausted {
            reference: 300,
            vas: VasId(0),
            page: PageNo(page),
        })
        .collect();
    let bytes = encode(&events, 100).remove(0).bytes;
    let last = decode_chunk(10, &bytes[..bytes.len() - 1]).last();
    let error = last.expect("two events").expect_err("the second is cut");
    assert_eq!(
        error.to_string(),
        "event 11 is damaged at byte 5 of its chunk: cut off, or not an integer"
    );
}

#[test]
fn chunks_end_by_size_and_by_time_and_hold_all_events() {
    let mut log = EventLog::new();
    let eviction = |reference: u64| {
        Event::Evicted(Eviction {
            reference,
            vas: VasId(0),
            page: PageNo(u32::try_from(reference % 1000).expect("small")),
            proposed: PageNo(u32::try_from(reference % 1000).expect("small")),
            outcome: EvictionOutcome::Default,
            txn: None,
            modified: false,
        })
    };
    for reference in 0..CHUNK_REFERENCES + 10 {
        log.pass_reference(reference);
        log.write(&eviction(reference));
    }
    log.seal();
    let chunks: Vec<EventChunk> = log.take_sealed().collect();
    let full = chunks
        .iter()
        .filter(|chunk| chunk.bytes.len() >= CHUNK_BYTES);
    assert!(full.count() > 5);
    let longest = chunks.iter().map(|chunk| chunk.bytes.len()).max();
    assert!(longest.expect("chunks") < CHUNK_BYTES + 64);
    let last = chunks.last().expect("chunks");
    assert_eq!((last.first_seq, last.count), (CHUNK_REFERENCES, 10));
    let events: u64 = chunks.iter().map(|chunk| u64::from(chunk.count)).sum();
    assert_eq!(events, CHUNK_REFERENCES + 10);
    assert_eq!(log.events(), events);
}
