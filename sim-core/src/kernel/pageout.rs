//! Evicting at a graft's request: a graft point that is reached from inside a graft.
//!
//! ```text
//!  pm_mgr graft (parent) -- pageout --> propose without moving the hands
//!                                         |
//!                                         v
//!                            vas_o::pick_victim graft (child): commits, or is aborted and removed
//!                                         |
//!                                         v
//!                            the victim leaves its list (undo record),
//!  goes on <------------------------------ and is to lose its frame (commit record)
//! ```
//!
//! From then on nobody sees the page, neither the parent nor the grafts that it has asked further
//! on. When the parent commits, the page is written out and loses its frame; when it aborts, the
//! page is back in its place, and nothing outside ever knew.
use super::Kernel;
use super::transact::{CommitRecord, EvictionOrder};
use crate::graft::Point;
use crate::graft::invoke::{self, Surroundings};
use crate::graft::registry::Graft;
use crate::ids::FrameNo;
use crate::run::Meter;
use crate::vm::NoVictim;

/// Changes that one departure makes: the page that stays moves, and the victim leaves.
const CHANGES_OF_DEPARTURE: usize = 2;

/// Why not all pages could be evicted that a graft wanted to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// No page can be evicted.
    NoVictim,
    /// The transaction holds as many acts or changes as it may.
    LogFull,
}

impl Kernel {
    /// Evicts up to `pages` pages inside the caller's transaction; gives the frames that are free
    /// then, those counted that become free with its commit.
    ///
    /// # Threat
    ///
    /// A graft could empty memory, or have a graft of another process changed or ended for nothing.
    ///
    /// # Defence
    ///
    /// Only grafts of the kernel's owner come here. What one transaction evicts is bounded by its
    /// commit records. The graft that is asked has logs of its own, and what it is asked is what
    /// the daemon would ask it. One that runs into its deadline also uses up its parent's, though:
    /// the executor's clock does not stop for a graft that waits.
    pub(crate) fn pageout(
        &mut self,
        pages: u32,
        meter: &mut dyn Meter,
    ) -> (u32, Result<(), Unanswered>) {
        let mut outcome = Ok(());
        for _ in 0..pages {
            outcome = self.pageout_one(meter);
            if outcome.is_err() {
                break;
            }
        }
        (self.vm.free_frames() + self.vm.departing(), outcome)
    }

    fn pageout_one(&mut self, meter: &mut dyn Meter) -> Result<(), Unanswered> {
        let txns = &self.txns;
        let room = txns.has_room_for_acts(1)
            && txns.has_room_for_changes(CHANGES_OF_DEPARTURE)
            && txns.may_begin();
        if !room {
            return Err(Unanswered::LogFull);
        }
        let proposed = self.vm.foresee();
        let proposed = proposed.map_err(|_: NoVictim| Unanswered::NoVictim)?;
        let eviction = self.consult(proposed, meter);
        self.depart(eviction);
        Ok(())
    }

    /// Asks the owner of a page whether that or another of its pages should go.
    fn consult(&mut self, proposed: FrameNo, meter: &mut dyn Meter) -> EvictionOrder {
        let owner = self.vm.owner(proposed).expect("a proposal is occupied");
        let unasked = EvictionOrder::unasked(proposed);
        let Some(graft) = self.grafts.pick_victim(owner) else {
            return unasked;
        };
        let txn = self.txns.next_id();
        let ask = |graft: &mut Graft, around: &mut Surroundings<'_>| {
            invoke::pick_victim(graft, proposed, around)
        };
        let choice = self.transact((graft, Point::VasPickVictim), meter, ask);
        let chosen = choice.map(|choice| EvictionOrder::chosen(choice, proposed, txn));
        let txn = Some(txn);
        chosen.unwrap_or(EvictionOrder { txn, ..unasked })
    }

    /// Takes a victim out of its list, logs what puts it back, and that it is to lose its frame.
    fn depart(&mut self, eviction: EvictionOrder) {
        let EvictionOrder {
            victim, proposed, ..
        } = eviction;
        let owner = self.vm.owner(victim).expect("a victim is occupied");
        self.lock_page_list(owner);
        let stays = victim != proposed && self.vm.vas(owner).view().is_listed(proposed);
        if stays {
            let logged = self.txns.log_undo(self.vm.prepare_move(proposed));
            logged.expect("room was seen to");
            self.vm.stand_before(proposed, victim, self.txns.watch());
        }
        let logged = self.txns.log_undo(self.vm.prepare_departure(victim));
        logged.expect("room was seen to");
        self.vm.depart(victim, self.txns.watch());
        let act = CommitRecord::FinishDeparture(eviction);
        self.txns.log_commit(act).expect("room was seen to");
    }
}
