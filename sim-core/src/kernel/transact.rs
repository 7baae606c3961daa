//! The bracket around each invocation of a graft: begin, then commit or abort.
//!
//! ```text
//!   begin --> invoke --> checked answer --> commit --> outermost? acts are carried out --> end
//!                `--> misbehaviour --> abort: undo, remove the graft --> the default serves
//! ```
//!
//! Every invocation that was begun ends here, and whatever the graft did, the kernel goes on: the
//! caller gets an answer or learns that there is none. A graft that reaches another graft point
//! through a graft-callable comes here again, and that invocation's transaction is a child.
use super::Kernel;
use crate::event::{Commit, Event, EvictionOutcome, LogLevel, RemovalReason};
use crate::graft::invoke::{Surroundings, VictimChoice};
use crate::graft::registry::Graft;
use crate::graft::{Misbehaviour, Point};
use crate::ids::{FrameNo, GraftId, TxnId};
use crate::run::{METER_EVERY, Meter, RecordedVerdict};
use crate::txn::Committed;

/// Which page loses its frame, which one the kernel proposed, and how that came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EvictionOrder {
    pub(crate) victim: FrameNo,
    pub(crate) proposed: FrameNo,
    pub(crate) outcome: EvictionOutcome,
    /// The transaction in which a graft was asked.
    pub(crate) txn: Option<TxnId>,
}

impl EvictionOrder {
    /// The kernel's own proposal.
    pub(super) fn unasked(proposed: FrameNo) -> EvictionOrder {
        EvictionOrder {
            victim: proposed,
            proposed,
            outcome: EvictionOutcome::Default,
            txn: None,
        }
    }

    /// What a graft's checked choice comes to.
    pub(super) fn chosen(choice: VictimChoice, proposed: FrameNo, txn: TxnId) -> EvictionOrder {
        let (victim, outcome) = match choice {
            VictimChoice::Evict(victim) if victim == proposed => {
                (victim, EvictionOutcome::Accepted)
            }
            VictimChoice::Evict(victim) => (victim, EvictionOutcome::Override),
            VictimChoice::SwapFull => (proposed, EvictionOutcome::SwapFull),
            VictimChoice::NotFound => (proposed, EvictionOutcome::NotFound),
        };
        EvictionOrder {
            victim,
            proposed,
            outcome,
            txn: Some(txn),
        }
    }
}

/// An irreversible act that waits for its transaction's commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommitRecord {
    /// A page loses its frame.
    Evict(EvictionOrder),
    /// A page that left its list inside the transaction loses its frame.
    FinishDeparture(EvictionOrder),
    /// The modified pages of the cluster at hand are written to swap, which the caller does.
    WriteOut,
}

impl Kernel {
    /// Invokes a graft in a transaction of its own; `None` if it was aborted and removed.
    ///
    /// `ask` enters the graft, checks its answer and logs what the answer stands for. The acts of
    /// the outermost transaction are carried out before this returns.
    #[inline]
    pub(super) fn transact<A>(
        &mut self,
        (id, point): (GraftId, Point),
        meter: &mut dyn Meter,
        ask: impl FnOnce(&mut Graft, &mut Surroundings<'_>) -> Result<A, Misbehaviour>,
    ) -> Option<A> {
        let outermost = self.txns.current().is_none();
        let timed = self.counters.invocations.is_multiple_of(METER_EVERY) && outermost;
        self.counters.invocations += 1;
        if timed {
            meter.start();
        }
        let txn = self.txns.begin();
        let answer = match self.recorded_verdict(txn) {
            Some(verdict) => Err(self.repeat(verdict, id, meter, ask)),
            None => self.enter(id, None, meter, ask),
        };
        let outcome = match answer {
            Ok(answer) => {
                let committed = self.txns.commit();
                self.note_commit((id, point), &committed);
                Ok((answer, committed))
            }
            Err(misbehaviour) => {
                self.abort((id, point), misbehaviour);
                Err(())
            }
        };
        if timed {
            meter.stop();
        }
        let answer = outcome.ok().map(|(answer, committed)| {
            self.carry_out(committed, meter);
            answer
        });
        if outermost && !self.bereaved.is_empty() {
            self.settle_bereaved();
        }
        answer
    }

    /// Carries out the acts of a transaction, unless it has a parent that may still abort.
    #[inline]
    fn carry_out(&mut self, mut committed: Committed, meter: &mut dyn Meter) {
        if committed.parent.is_some() {
            return;
        }
        while let Some(act) = self.txns.next_act(&mut committed) {
            match act {
                CommitRecord::Evict(eviction) => self.evict(eviction, meter),
                CommitRecord::FinishDeparture(eviction) => self.finish_departure(eviction, meter),
                CommitRecord::WriteOut => {}
            }
        }
        self.txns.end(&committed, self.now());
    }

    #[inline]
    fn enter<A>(
        &mut self,
        id: GraftId,
        children_max: Option<u32>,
        meter: &mut dyn Meter,
        ask: impl FnOnce(&mut Graft, &mut Surroundings<'_>) -> Result<A, Misbehaviour>,
    ) -> Result<A, Misbehaviour> {
        let graft = self.grafts.take(id);
        let mut graft = graft.expect("a point holds attached grafts, and none calls itself");
        let mut around = Surroundings {
            kernel: self,
            meter,
            children_max,
        };
        let answer = ask(&mut graft, &mut around);
        self.grafts.give_back(id, graft);
        answer
    }

    /// The verdict that the CPU gave on this transaction in the run that is replayed.
    #[inline]
    fn recorded_verdict(&mut self, txn: TxnId) -> Option<RecordedVerdict> {
        self.verdicts.front().filter(|verdict| verdict.txn == txn)?;
        self.verdicts.pop_front()
    }

    /// Applies a recorded verdict.
    ///
    /// The graft runs only if transactions began inside its own: those may have changed their
    /// grafts' memory, or ended them, which no abort undoes. It is stopped behind the last of them.
    #[cold]
    fn repeat<A>(
        &mut self,
        verdict: RecordedVerdict,
        id: GraftId,
        meter: &mut dyn Meter,
        ask: impl FnOnce(&mut Graft, &mut Surroundings<'_>) -> Result<A, Misbehaviour>,
    ) -> Misbehaviour {
        if verdict.children > 0 {
            // What it came to this time does not count: the record says what happened.
            let _stopped = self.enter(id, Some(verdict.children), meter, ask);
        }
        Misbehaviour {
            reason: verdict.reason,
            fault: verdict.fault,
            recorded_undo: Some(verdict.undo_records),
        }
    }

    #[inline]
    fn note_commit(&mut self, (graft, point): (GraftId, Point), committed: &Committed) {
        self.counters.commits += 1;
        if self.level == LogLevel::Lifecycle {
            return;
        }
        self.log.committed(&Commit {
            txn: committed.id,
            parent: committed.parent,
            graft,
            point,
            undo_records: committed.undo_records,
            commit_records: committed.commit_records,
        });
    }

    fn abort(&mut self, (id, point): (GraftId, Point), misbehaviour: Misbehaviour) {
        let (now, vm) = (self.now(), &mut self.vm);
        let aborted = self.txns.abort(now, |record, watch| vm.undo(record, watch));
        self.counters.aborts += 1;
        let graft = self.grafts.get(id).expect("it was just invoked");
        let undo_records = misbehaviour.recorded_undo;
        self.log.write(&Event::TxnAborted {
            reference: self.counters.references,
            txn: aborted.id,
            parent: aborted.parent,
            children: aborted.children,
            graft: id,
            point,
            reason: misbehaviour.reason,
            fault: misbehaviour.fault,
            undo_records: undo_records.unwrap_or(aborted.undo_records),
            state_restored: aborted.state_restored,
        });
        self.removed.push(graft.name.clone());
        self.remove(id, RemovalReason::Aborted, Some(aborted.id));
    }

    /// Detaches a graft from every point it serves and takes back what it held.
    pub(super) fn remove(&mut self, id: GraftId, reason: RemovalReason, txn: Option<TxnId>) {
        let Some(graft) = self.grafts.remove(id) else {
            return;
        };
        self.bereaved.extend(graft.scope.vas());
        if self.txns.current().is_none() {
            self.settle_bereaved();
        }
        for point in graft.points() {
            self.log.write(&Event::GraftRemoved {
                reference: self.counters.references,
                graft: id,
                point,
                reason,
                txn,
            });
        }
        // Watchers learn of a removal at once; removals are as rare as grafts.
        self.log.seal();
    }
    /// Takes back what removed grafts held, once no transaction can be undone across that.
    #[cold]
    fn settle_bereaved(&mut self) {
        for vas in std::mem::take(&mut self.bereaved) {
            self.vm.forget_overrides(vas);
            // Wired pages were on the account of the graft, which is closed.
            self.vm.unwire_all(vas);
        }
    }
}
