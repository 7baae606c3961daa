//! The kinds of events and what they say.
use std::fmt;

use crate::graft::Point;
use crate::ids::{GraftId, PageNo, TxnId, VasId};

/// One thing that happened in a run.
///
/// References are counted from 0 over all processes and are the kernel's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The run began.
    RunStarted {
        /// Frames of memory.
        frames: u32,
        /// Processes of the kernel.
        processes: u32,
        /// References that all workloads hold.
        references_total: u64,
        /// The seed of the run.
        seed: u64,
    },
    /// A graft was verified, loaded and attached.
    GraftAttached {
        /// The graft.
        graft: GraftId,
        /// Its name.
        name: String,
        /// Where it is attached.
        point: Point,
        /// Whose it is; `None` for a global point.
        vas: Option<VasId>,
        /// BLAKE3 of its object file.
        object: [u8; 32],
    },
    /// A page lost its frame.
    Evicted(Eviction),
    /// A graft's transaction committed.
    TxnCommitted(Commit),
    /// A graft's transaction was aborted and the kernel put back.
    TxnAborted {
        /// The reference during which it ran.
        reference: u64,
        /// The transaction.
        txn: TxnId,
        /// The transaction in which it ran, which lives on.
        parent: Option<TxnId>,
        /// How many transactions began directly inside it.
        children: u32,
        /// The graft.
        graft: GraftId,
        /// Where it was invoked.
        point: Point,
        /// Why.
        reason: AbortReason,
        /// What exactly it did: where it trapped, or what it answered.
        fault: String,
        /// Changes that were undone.
        undo_records: u32,
        /// Whether everything the transaction changed has its value from before it.
        state_restored: bool,
    },
    /// A graft was removed; the default serves its point from now on.
    GraftRemoved {
        /// The reference during which it went.
        reference: u64,
        /// The graft.
        graft: GraftId,
        /// Where it was attached.
        point: Point,
        /// Why.
        reason: RemovalReason,
        /// The aborted transaction, if that is why.
        txn: Option<TxnId>,
    },
    /// Modified pages were written to consecutive slots of swap space, in this order.
    PagesWritten {
        /// The reference that caused it.
        reference: u64,
        /// The slot of the first page.
        first_slot: u64,
        /// The pages and their owners.
        pages: Vec<(VasId, PageNo)>,
    },
    /// A fault failed because every evictable page is modified and swap space is full.
    SwapExhausted {
        /// The reference that failed.
        reference: u64,
        /// Whose it was.
        vas: VasId,
        /// The page it wanted.
        page: PageNo,
    },
    /// A fault failed because every page in memory is wired.
    MemoryExhausted {
        /// The reference that failed.
        reference: u64,
        /// Whose it was.
        vas: VasId,
        /// The page it wanted.
        page: PageNo,
    },
    /// The run ended.
    RunFinished {
        /// What happened how often.
        counters: Counters,
        /// Digest of the final kernel state.
        state_digest: [u8; 32],
    },
}

/// The content of [`Event::Evicted`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eviction {
    /// The reference that needed the frame.
    pub reference: u64,
    /// Whose page.
    pub vas: VasId,
    /// Which page.
    pub page: PageNo,
    /// The page of the same address space that the kernel proposed.
    pub proposed: PageNo,
    /// How the victim was chosen.
    pub outcome: EvictionOutcome,
    /// The transaction in which a graft was asked.
    pub txn: Option<TxnId>,
    /// Whether the page had been modified, so that it occupies swap space.
    pub modified: bool,
}

/// The content of [`Event::TxnCommitted`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The transaction.
    pub txn: TxnId,
    /// The transaction in which it ran, to which its records were left.
    pub parent: Option<TxnId>,
    /// The graft.
    pub graft: GraftId,
    /// Where it was invoked.
    pub point: Point,
    /// Changes that an abort would have undone.
    pub undo_records: u32,
    /// Irreversible acts that are carried out now, or with the parent's commit.
    pub commit_records: u32,
}

/// How a victim was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum EvictionOutcome {
    /// No graft was asked, or it was aborted: the proposal went.
    Default = 0,
    /// The graft chose the proposal.
    Accepted = 1,
    /// The graft chose another page.
    Override = 2,
    /// The graft answered that it found no victim: the proposal went.
    NotFound = 3,
    /// The graft's choice was fair but swap has no room for it: the proposal went.
    SwapFull = 4,
}

impl EvictionOutcome {
    pub(crate) const ALL: [EvictionOutcome; 5] = [
        EvictionOutcome::Default,
        EvictionOutcome::Accepted,
        EvictionOutcome::Override,
        EvictionOutcome::NotFound,
        EvictionOutcome::SwapFull,
    ];
}

/// Why a transaction was aborted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum AbortReason {
    /// It wrote where it must not.
    WildWrite = 0,
    /// It read where it must not.
    WildRead = 1,
    /// It used a null pointer.
    NullAccess = 2,
    /// It called through a null pointer.
    NullCall = 3,
    /// It ran out of stack.
    StackOverflow = 4,
    /// It reached an instruction that traps.
    IllegalInstruction = 5,
    /// It divided by zero, or a quotient did not fit.
    Arithmetic = 6,
    /// It jumped, called or returned to something that is no target.
    BadControlTransfer = 7,
    /// It used an aligned vector access on an unaligned address.
    Misaligned = 8,
    /// It trapped in a way that has no name here.
    Trapped = 9,
    /// It ran past its deadline.
    Deadline = 10,
    /// What it answered is not possible.
    BadAnswer = 11,
    /// It made more changes than its undo log holds.
    UndoLogFull = 12,
    /// It called the kernel too often.
    HostCallLimit = 13,
}

impl AbortReason {
    pub(crate) const ALL: [AbortReason; 14] = [
        AbortReason::WildWrite,
        AbortReason::WildRead,
        AbortReason::NullAccess,
        AbortReason::NullCall,
        AbortReason::StackOverflow,
        AbortReason::IllegalInstruction,
        AbortReason::Arithmetic,
        AbortReason::BadControlTransfer,
        AbortReason::Misaligned,
        AbortReason::Trapped,
        AbortReason::Deadline,
        AbortReason::BadAnswer,
        AbortReason::UndoLogFull,
        AbortReason::HostCallLimit,
    ];

    /// Whether the CPU or the clock decided it, so that a replay must be told.
    pub fn is_verdict(self) -> bool {
        self <= AbortReason::Deadline
    }
}

impl fmt::Display for AbortReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            AbortReason::WildWrite => "wild write",
            AbortReason::WildRead => "wild read",
            AbortReason::NullAccess => "null access",
            AbortReason::NullCall => "null call",
            AbortReason::StackOverflow => "stack overflow",
            AbortReason::IllegalInstruction => "illegal instruction",
            AbortReason::Arithmetic => "arithmetic error",
            AbortReason::BadControlTransfer => "bad control transfer",
            AbortReason::Misaligned => "misaligned access",
            AbortReason::Trapped => "trapped",
            AbortReason::Deadline => "deadline passed",
            AbortReason::BadAnswer => "bad answer",
            AbortReason::UndoLogFull => "undo log full",
            AbortReason::HostCallLimit => "host call limit",
        })
    }
}

/// Why a graft was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RemovalReason {
    /// Its transaction was aborted.
    Aborted,
    /// Its owner unloaded it.
    Unloaded,
}

impl fmt::Display for RemovalReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            RemovalReason::Aborted => "aborted",
            RemovalReason::Unloaded => "unloaded",
        })
    }
}

/// What happened how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// References made.
    pub references: u64,
    /// References to a page that was not resident.
    pub faults: u64,
    /// Faults that got no frame.
    pub failed_faults: u64,
    /// Pages that lost their frame.
    pub evictions: u64,
    /// Modified pages written to swap.
    pub pages_written: u64,
    /// Transactions begun, one for each invocation of a graft.
    pub invocations: u64,
    /// Victims that a graft chose against the proposal.
    pub overrides: u64,
    /// Invocations that found no victim.
    pub not_found: u64,
    /// Transactions committed.
    pub commits: u64,
    /// Transactions aborted.
    pub aborts: u64,
}

impl Counters {
    /// The values in the order of declaration, which is that of the encoding.
    pub(crate) fn to_array(self) -> [u64; 10] {
        [
            self.references,
            self.faults,
            self.failed_faults,
            self.evictions,
            self.pages_written,
            self.invocations,
            self.overrides,
            self.not_found,
            self.commits,
            self.aborts,
        ]
    }

    pub(crate) fn from_array(values: [u64; 10]) -> Counters {
        let [
            references,
            faults,
            failed_faults,
            evictions,
            pages_written,
            invocations,
            overrides,
            not_found,
            commits,
            aborts,
        ] = values;
        Counters {
            references,
            faults,
            failed_faults,
            evictions,
            pages_written,
            invocations,
            overrides,
            not_found,
            commits,
            aborts,
        }
    }
}
