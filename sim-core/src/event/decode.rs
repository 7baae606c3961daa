//! Reading the canonical encoding back, trusting nothing in it.
use super::encode::{Context, tag};
use super::kinds::{
    AbortReason, Commit, Counters, Event, Eviction, EvictionOutcome, RemovalReason,
};
use super::varint::{take, take_step};
use crate::graft::{POINTS, Point};
use crate::ids::{GraftId, PageNo, TxnId, VasId};

/// The longest string that an event may hold, in bytes.
const STRING_BYTES_MAX: u64 = 64 * 1024;
/// The most pages that one write-out may name.
const PAGES_WRITTEN_MAX: u64 = 4096;

/// Bytes that are no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {seq} is damaged at byte {offset} of its chunk: {problem}")]
pub struct EventDecodeError {
    /// Sequence number of the event that could not be read.
    pub seq: u64,
    /// Byte of the chunk at which it starts.
    pub offset: usize,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// The events of a chunk with their sequence numbers.
#[derive(Clone, Debug)]
pub struct Events<'a> {
    rest: &'a [u8],
    bytes: usize,
    seq: u64,
    context: Context,
}

/// Reads the events of a chunk; ends after the first that cannot be read.
pub fn decode_chunk(first_seq: u64, bytes: &[u8]) -> Events<'_> {
    Events {
        rest: bytes,
        bytes: bytes.len(),
        seq: first_seq,
        context: Context::START,
    }
}

impl Iterator for Events<'_> {
    type Item = Result<(u64, Event), EventDecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let offset = self.bytes - self.rest.len();
        let seq = self.seq;
        match self.take_event() {
            Ok(event) => {
                self.seq += 1;
                Some(Ok((seq, event)))
            }
            Err(problem) => {
                self.rest = &[];
                Some(Err(EventDecodeError {
                    seq,
                    offset,
                    problem,
                }))
            }
        }
    }
}

/// What an event lacks; the position is added by the iterator.
type Taken<T> = Result<T, &'static str>;

impl Events<'_> {
    fn take_event(&mut self) -> Taken<Event> {
        let tag = self.byte()?;
        if tag & tag::EVICTED != 0 {
            return self.take_evicted(tag);
        }
        if tag & tag::COMMITTED != 0 {
            return self.take_committed(tag);
        }
        match tag {
            tag::RUN_STARTED => Ok(Event::RunStarted {
                frames: self.u32()?,
                processes: self.u32()?,
                references_total: self.u64()?,
                seed: self.u64()?,
            }),
            tag::GRAFT_ATTACHED => Ok(Event::GraftAttached {
                graft: GraftId(self.u32()?),
                name: self.string()?,
                point: self.point()?,
                vas: self.u32()?.checked_sub(1).map(VasId),
                object: self.digest()?,
            }),
            tag::TXN_ABORTED => self.take_aborted(None, 0),
            tag::NESTED_TXN_ABORTED => {
                let (parent, children) = (TxnId::new(self.u64()?), self.u32()?);
                if parent.is_none() && children == 0 {
                    return Err("a nested transaction that is not nested");
                }
                self.take_aborted(parent, children)
            }
            tag::GRAFT_REMOVED => Ok(Event::GraftRemoved {
                reference: self.u64()?,
                graft: GraftId(self.u32()?),
                point: self.point()?,
                reason: match self.byte()? {
                    0 => RemovalReason::Aborted,
                    1 => RemovalReason::Unloaded,
                    _ => return Err("unknown reason of a removal"),
                },
                txn: TxnId::new(self.u64()?),
            }),
            tag::PAGES_WRITTEN => self.take_pages_written(),
            tag::SWAP_EXHAUSTED => Ok(Event::SwapExhausted {
                reference: self.u64()?,
                vas: VasId(self.u32()?),
                page: PageNo(self.u32()?),
            }),
            tag::MEMORY_EXHAUSTED => Ok(Event::MemoryExhausted {
                reference: self.u64()?,
                vas: VasId(self.u32()?),
                page: PageNo(self.u32()?),
            }),
            tag::RUN_FINISHED => self.take_finished(),
            _ => Err("unknown kind of event"),
        }
    }

    fn take_evicted(&mut self, tag: u8) -> Taken<Event> {
        let outcome = usize::from(tag & tag::EVICTED_OUTCOME);
        let outcome = EvictionOutcome::ALL.get(outcome);
        let outcome = *outcome.ok_or("unknown outcome of an eviction")?;
        let step = self.u64()?;
        let reference = self.context.reference.checked_add(step);
        let reference = reference.ok_or("reference out of range")?;
        self.context.reference = reference;
        if tag & tag::EVICTED_VAS != 0 {
            self.context.vas = self.u32()?;
        }
        let page = self.step(self.context.page)?;
        self.context.page = page;
        let proposed = match outcome {
            EvictionOutcome::Override => self.step(page)?,
            _ => page,
        };
        if tag & tag::EVICTED_OTHER_TXN != 0 {
            self.context.txn = self.u64()?;
        }
        let txn = match tag & tag::EVICTED_TXN {
            0 => None,
            _ => Some(TxnId::new(self.context.txn).ok_or("transaction 0")?),
        };
        Ok(Event::Evicted(Eviction {
            reference,
            vas: VasId(self.context.vas),
            page: PageNo(page),
            proposed: PageNo(proposed),
            outcome,
            txn,
            modified: tag & tag::EVICTED_MODIFIED != 0,
        }))
    }

    fn take_committed(&mut self, tag: u8) -> Taken<Event> {
        let following = self.context.txn.checked_add(1);
        self.context.txn = match tag & tag::COMMITTED_TXN {
            0 => following.ok_or("transaction out of range")?,
            _ => self.u64()?,
        };
        if tag & tag::COMMITTED_GRAFT != 0 {
            self.context.graft = self.u32()?;
            self.context.point = self.byte()?;
        }
        let undo_records = match tag & tag::COMMITTED_UNDO {
            0 => 0,
            _ => self.u32()?,
        };
        let commit_records = match tag & tag::COMMITTED_RECORDS {
            0 => 1,
            _ => self.u32()?,
        };
        let parent = match tag & tag::COMMITTED_NESTED {
            0 => None,
            _ => Some(TxnId::new(self.u64()?).ok_or("transaction 0")?),
        };
        Ok(Event::TxnCommitted(Commit {
            txn: TxnId::new(self.context.txn).ok_or("transaction 0")?,
            parent,
            graft: GraftId(self.context.graft),
            point: point_of(self.context.point)?,
            undo_records,
            commit_records,
        }))
    }

    fn take_aborted(&mut self, parent: Option<TxnId>, children: u32) -> Taken<Event> {
        let reference = self.u64()?;
        let txn = TxnId::new(self.u64()?).ok_or("transaction 0")?;
        let graft = GraftId(self.u32()?);
        let point = self.point()?;
        let reason = AbortReason::ALL.get(usize::from(self.byte()?));
        let reason = *reason.ok_or("unknown reason of an abort")?;
        let state_restored = match self.byte()? {
            0 => false,
            1 => true,
            _ => return Err("a truth value that is neither"),
        };
        let undo_records = self.u32()?;
        Ok(Event::TxnAborted {
            reference,
            txn,
            parent,
            children,
            graft,
            point,
            reason,
            fault: self.string()?,
            undo_records,
            state_restored,
        })
    }

    fn take_pages_written(&mut self) -> Taken<Event> {
        let reference = self.u64()?;
        let first_slot = self.u64()?;
        let count = self.u64()?;
        if count > PAGES_WRITTEN_MAX {
            return Err("too many pages in one write-out");
        }
        let mut page = || Ok((VasId(self.u32()?), PageNo(self.u32()?)));
        let pages: Taken<Vec<_>> = (0..count).map(|_| page()).collect();
        Ok(Event::PagesWritten {
            reference,
            first_slot,
            pages: pages?,
        })
    }

    fn take_finished(&mut self) -> Taken<Event> {
        let mut values = Counters::default().to_array();
        for value in &mut values {
            *value = self.u64()?;
        }
        Ok(Event::RunFinished {
            counters: Counters::from_array(values),
            state_digest: self.digest()?,
        })
    }

    fn byte(&mut self) -> Taken<u8> {
        let (&byte, rest) = self.rest.split_first().ok_or("cut off")?;
        self.rest = rest;
        Ok(byte)
    }

    fn u64(&mut self) -> Taken<u64> {
        take(&mut self.rest).ok_or("cut off, or not an integer")
    }

    fn u32(&mut self) -> Taken<u32> {
        u32::try_from(self.u64()?).map_err(|_too_large| "a number that is too large")
    }

    fn step(&mut self, from: u32) -> Taken<u32> {
        take_step(&mut self.rest, from).ok_or("cut off, or a step out of range")
    }

    fn bytes(&mut self, count: usize) -> Taken<&[u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or("cut off")?;
        self.rest = rest;
        Ok(taken)
    }

    fn digest(&mut self) -> Taken<[u8; 32]> {
        let bytes = self.bytes(32)?;
        Ok(bytes.try_into().expect("32 bytes"))
    }

    fn string(&mut self) -> Taken<String> {
        let bytes = self.u64()?;
        if bytes > STRING_BYTES_MAX {
            return Err("a string that is too long");
        }
        let bytes = self.bytes(usize::try_from(bytes).expect("bounded"))?;
        let text = std::str::from_utf8(bytes).map_err(|_invalid| "a string that is not UTF-8")?;
        Ok(text.to_owned())
    }

    fn point(&mut self) -> Taken<Point> {
        point_of(self.byte()?)
    }
}

fn point_of(number: u8) -> Taken<Point> {
    let point = POINTS.get(usize::from(number));
    point.map(|info| info.id).ok_or("unknown graft point")
}
