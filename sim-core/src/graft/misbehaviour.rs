//! Why an invocation is aborted, in words that hold no host address.
use vino_abi::SANDBOX_BYTES;
use vino_sandbox::{FaultKind, GraftFault, HostAbort};

use crate::event::AbortReason;

/// A host function ended the invocation because the undo log is full.
pub(crate) const ABORT_UNDO_LOG_FULL: HostAbort = HostAbort(1);
/// A host function ended the invocation because there were too many calls.
pub(crate) const ABORT_HOST_CALLS: HostAbort = HostAbort(2);

/// A host function ended the invocation because the system has no memory for the graft's heap.
pub(crate) const ABORT_HEAP_REFUSED: HostAbort = HostAbort(3);
/// A host function ended the invocation because it ended here in the run that is replayed.
pub(crate) const ABORT_RECORDED: HostAbort = HostAbort(4);

/// What a graft did to be aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misbehaviour {
    pub(crate) reason: AbortReason,
    pub(crate) fault: String,
    /// Undo records of the recorded abort, where a replay applies its verdict.
    pub(crate) recorded_undo: Option<u32>,
}

impl Misbehaviour {
    /// An answer that cannot be.
    pub(crate) fn bad_answer(fault: String) -> Misbehaviour {
        Misbehaviour {
            reason: AbortReason::BadAnswer,
            fault,
            recorded_undo: None,
        }
    }

    /// What the executor reports about a graft in the sandbox at `base`.
    pub(crate) fn from_fault(fault: &GraftFault, base: u64) -> Misbehaviour {
        Misbehaviour {
            reason: reason_of(fault.kind),
            fault: describe(fault, base),
            recorded_undo: None,
        }
    }
}

fn reason_of(kind: FaultKind) -> AbortReason {
    match kind {
        FaultKind::Memory { write: true } => AbortReason::WildWrite,
        FaultKind::Memory { write: false } => AbortReason::WildRead,
        FaultKind::NullAccess { .. } => AbortReason::NullAccess,
        FaultKind::NullCall => AbortReason::NullCall,
        FaultKind::StackOverflow => AbortReason::StackOverflow,
        FaultKind::IllegalInstruction => AbortReason::IllegalInstruction,
        FaultKind::Arithmetic => AbortReason::Arithmetic,
        FaultKind::BadControlTransfer => AbortReason::BadControlTransfer,
        FaultKind::Misaligned => AbortReason::Misaligned,
        FaultKind::Deadline => AbortReason::Deadline,
        FaultKind::Aborted(code) if code == ABORT_UNDO_LOG_FULL.0 => AbortReason::UndoLogFull,
        FaultKind::Aborted(code) if code == ABORT_HOST_CALLS.0 => AbortReason::HostCallLimit,
        _ => AbortReason::Trapped,
    }
}

/// Says what happened where, with sandbox offsets for addresses, so that equal runs in sandboxes at
/// different bases say the same.
fn describe(fault: &GraftFault, base: u64) -> String {
    let mut text = match fault.kind {
        FaultKind::Aborted(code) if code == ABORT_UNDO_LOG_FULL.0 => {
            "more changes than the undo log holds".to_owned()
        }
        FaultKind::Aborted(code) if code == ABORT_HOST_CALLS.0 => {
            "more calls of the kernel than allowed".to_owned()
        }
        FaultKind::Aborted(code) if code == ABORT_HEAP_REFUSED.0 => {
            "no memory for its heap, though within its limit".to_owned()
        }
        kind => kind.to_string(),
    };
    if let Some(address) = fault.address {
        let offset = address.wrapping_sub(base);
        let place = if offset < SANDBOX_BYTES {
            format!(" at sandbox offset {offset:#x}")
        } else {
            " outside the sandbox".to_owned()
        };
        text.push_str(&place);
    }
    match &fault.symbol {
        Some(symbol) => text.push_str(&format!(" in {symbol}")),
        None => text.push_str(&format!(" at pc {}", fault.pc)),
    }
    if !fault.instruction.is_empty() {
        text.push_str(&format!(": {}", fault.instruction));
    }
    text
}
