//! The bracket around each invocation of a graft: begin, then commit or abort.
//!
//! ```text
//!   begin --> invoke --> checked answer --> commit records --> commit --> acts are carried out
//!                 `--> misbehaviour --> abort: undo, remove the graft --> the default serves
//! ```
//!
//! Every invocation that was begun ends here, and whatever the graft did, the kernel goes on: the
//! caller gets an answer or learns that there is none.
use super::Kernel;
use crate::event::{Commit, Event, LogLevel, RemovalReason};
use crate::graft::invoke::Surroundings;
use crate::graft::registry::Graft;
use crate::graft::{Misbehaviour, Point};
use crate::ids::{GraftId, TxnId};
use crate::run::{METER_EVERY, Meter};
use crate::txn::{CommitRecord, Committed};

impl Kernel {
    /// Invokes a graft in a transaction of its own; `None` if it was aborted and removed.
    ///
    /// `ask` enters the graft and checks its answer; `record` names the irreversible act that a
    /// checked answer stands for, which is carried out after the commit.
    #[inline]
    pub(super) fn transact<A>(
        &mut self,
        (id, point): (GraftId, Point),
        meter: &mut dyn Meter,
        ask: impl FnOnce(&mut Graft, &mut Surroundings<'_>) -> Result<A, Misbehaviour>,
        record: impl FnOnce(&A) -> Option<CommitRecord>,
    ) -> Option<(A, TxnId)> {
        let timed = self.counters.invocations.is_multiple_of(METER_EVERY);
        self.counters.invocations += 1;
        if timed {
            meter.start();
        }
        let txn = self.txns.begin();
        let answer = match self.recorded_verdict(txn) {
            Some(verdict) => Err(verdict),
            None => self.enter(id, ask),
        };
        let outcome = match answer {
            Ok(answer) => {
                if let Some(record) = record(&answer) {
                    let logged = self.txns.log_commit(record);
                    logged.expect("one record of one transaction fits");
                }
                let committed = self.txns.commit();
                self.note_commit((id, point), &committed);
                Some((answer, txn))
            }
            Err(misbehaviour) => {
                self.abort((id, point), misbehaviour);
                None
            }
        };
        if timed {
            meter.stop();
        }
        outcome
    }

    #[inline]
    fn enter<A>(
        &mut self,
        id: GraftId,
        ask: impl FnOnce(&mut Graft, &mut Surroundings<'_>) -> Result<A, Misbehaviour>,
    ) -> Result<A, Misbehaviour> {
        let graft = self
            .grafts
            .get_mut(id)
            .expect("a point holds attached grafts only");
        let mut around = Surroundings {
            vm: &mut self.vm,
            txns: &mut self.txns,
            limits: &self.config.graft_limits,
        };
        ask(graft, &mut around)
    }

    /// The verdict that the CPU gave on this transaction in the run that is replayed.
    #[inline]
    fn recorded_verdict(&mut self, txn: TxnId) -> Option<Misbehaviour> {
        self.verdicts.front().filter(|verdict| verdict.txn == txn)?;
        let verdict = self.verdicts.pop_front()?;
        Some(Misbehaviour {
            reason: verdict.reason,
            fault: verdict.fault,
            recorded_undo: Some(verdict.undo_records),
        })
    }

    #[inline]
    fn note_commit(&mut self, (graft, point): (GraftId, Point), committed: &Committed) {
        self.counters.commits += 1;
        if self.level == LogLevel::Lifecycle {
            return;
        }
        self.log.committed(&Commit {
            txn: committed.id,
            graft,
            point,
            undo_records: committed.undo_records,
            commit_records: committed.commit_records,
        });
    }

    fn abort(&mut self, (id, point): (GraftId, Point), misbehaviour: Misbehaviour) {
        let aborted = self.txns.abort(&mut self.vm);
        self.counters.aborts += 1;
        let graft = self.grafts.get(id).expect("it was just invoked");
        let undo_records = misbehaviour.recorded_undo;
        self.log.write(&Event::TxnAborted {
            reference: self.counters.references,
            txn: aborted.id,
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
        if let Some(vas) = graft.scope.vas() {
            self.vm.forget_overrides(vas);
            // Wired pages were on the account of the graft, which is closed.
            self.vm.unwire_all(vas);
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
}
