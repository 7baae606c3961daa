//! Transactions: every invocation of a graft is one, so that any of them can be undone.
//!
//! ```text
//!   begin --> open -- log_undo, log_commit --> commit --> commit records are carried out
//!                 \
//!                  `-> abort --> undo records are applied, newest first; commit records dropped
//! ```
//!
//! A change that can be undone is made at once, after its [`UndoRecord`] was pushed. An act that
//! cannot be undone is pushed as a [`CommitRecord`] and carried out when the transaction commits
//! (VINO manual 3.2). Both logs are allocated once and bounded; running out is an abort.
//!
//! Transactions nest: a child shares its parent's logs from a mark on, so that a child's commit is
//! forgetting the mark, which leaves the records to the parent, and a child's abort is unwinding to
//! it.
use crate::ids::{FrameNo, TxnId};
use crate::vm::{Restoration, UndoRecord, Vm};

/// The most transactions that may be open in each other.
pub(crate) const NESTING_MAX: usize = 8;
/// The most commit records that open transactions may hold together.
pub(crate) const COMMIT_RECORDS_MAX: usize = 64;

/// An irreversible act that waits for its transaction's commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommitRecord {
    /// The page in `victim` loses its frame; if it is not the proposal, that takes its place.
    Evict { victim: FrameNo, proposed: FrameNo },
    /// The modified pages of the cluster at hand are written to swap.
    WriteOut,
}

/// A log that a transaction filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogFull;

/// An open transaction.
#[derive(Clone, Copy, Debug)]
struct Open {
    id: TxnId,
    undo_mark: usize,
    commit_mark: usize,
    restoration: Restoration,
}

/// What a committed transaction left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Committed {
    pub(crate) id: TxnId,
    pub(crate) undo_records: u32,
    pub(crate) commit_records: u32,
}

/// What an aborted transaction left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Aborted {
    pub(crate) id: TxnId,
    pub(crate) undo_records: u32,
    pub(crate) state_restored: bool,
}

/// The open transactions of a kernel and their logs.
#[derive(Debug)]
pub(crate) struct Transactions {
    next: u64,
    open: Vec<Open>,
    undo: Vec<UndoRecord>,
    undo_records_max: usize,
    commit: Vec<CommitRecord>,
}

impl Transactions {
    /// Makes the logs; `undo_records_max` bounds one transaction.
    pub(crate) fn new(undo_records_max: u32) -> Transactions {
        Transactions {
            next: 1,
            open: Vec::with_capacity(NESTING_MAX),
            undo: Vec::with_capacity(undo_records_max as usize),
            undo_records_max: undo_records_max as usize,
            commit: Vec::with_capacity(COMMIT_RECORDS_MAX),
        }
    }

    /// The transaction that begins next.
    #[inline]
    pub(crate) fn next_id(&self) -> TxnId {
        TxnId::new(self.next).expect("numbers start at 1 and do not wrap in 2^64 invocations")
    }

    /// Begins a transaction inside the one that is open, if there is one.
    ///
    /// # Panics
    ///
    /// [`NESTING_MAX`] transactions are open; the kernel's own call depth is bounded below that.
    #[inline]
    pub(crate) fn begin(&mut self) -> TxnId {
        assert!(
            self.open.len() < NESTING_MAX,
            "nesting is bounded by the graft points"
        );
        let id = self.next_id();
        self.next += 1;
        self.open.push(Open {
            id,
            undo_mark: self.undo.len(),
            commit_mark: self.commit.len(),
            restoration: Restoration::default(),
        });
        id
    }

    /// Pushes what undoes the change that the caller is about to make.
    #[inline]
    pub(crate) fn log_undo(&mut self, record: UndoRecord) -> Result<(), LogFull> {
        if self.undo.len() == self.undo_records_max {
            return Err(LogFull);
        }
        self.undo.push(record);
        Ok(())
    }

    /// Pushes an act that the commit carries out.
    #[inline]
    pub(crate) fn log_commit(&mut self, record: CommitRecord) -> Result<(), LogFull> {
        if self.commit.len() == COMMIT_RECORDS_MAX {
            return Err(LogFull);
        }
        self.commit.push(record);
        Ok(())
    }

    /// The watch to which changes inside the innermost transaction are reported.
    ///
    /// # Panics
    ///
    /// No transaction is open; graft-callable functions run inside one.
    #[inline]
    pub(crate) fn watch(&mut self) -> &mut Restoration {
        &mut self.innermost().restoration
    }

    fn innermost(&mut self) -> &mut Open {
        self.open.last_mut().expect("a transaction is open")
    }

    /// Commits the innermost transaction.
    ///
    /// A child's records become its parent's. If it was the outermost, the caller takes the commit
    /// records with [`Transactions::take_commit_record`] and carries them out.
    #[inline]
    pub(crate) fn commit(&mut self) -> Committed {
        let open = self.open.pop().expect("a transaction is open");
        let committed = Committed {
            id: open.id,
            undo_records: count(self.undo.len() - open.undo_mark),
            commit_records: count(self.commit.len() - open.commit_mark),
        };
        match self.open.last_mut() {
            Some(parent) => parent.restoration.merge(open.restoration),
            None => self.undo.clear(),
        }
        committed
    }

    /// Takes an act of the committed outermost transaction; call it until there is none.
    #[inline]
    pub(crate) fn take_commit_record(&mut self) -> Option<CommitRecord> {
        if self.open.is_empty() {
            self.commit.pop()
        } else {
            None
        }
    }

    /// Aborts the innermost transaction: undoes its changes, newest first, and drops its acts.
    pub(crate) fn abort(&mut self, vm: &mut Vm) -> Aborted {
        let mut open = self.open.pop().expect("a transaction is open");
        let undo_records = count(self.undo.len() - open.undo_mark);
        while self.undo.len() > open.undo_mark
            && let Some(record) = self.undo.pop()
        {
            vm.undo(record, &mut open.restoration);
        }
        self.commit.truncate(open.commit_mark);
        Aborted {
            id: open.id,
            undo_records,
            state_restored: open.restoration.is_complete(),
        }
    }

    /// Whether no transaction is open and no record is left.
    pub(crate) fn is_idle(&self) -> bool {
        self.open.is_empty() && self.undo.is_empty() && self.commit.is_empty()
    }
}

fn count(records: usize) -> u32 {
    u32::try_from(records).expect("logs are bounded by 32-bit limits")
}

#[cfg(test)]
mod tests;
