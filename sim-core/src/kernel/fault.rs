//! Page faults: where the frame for a page comes from.
//!
//! ```text
//!   fault --> free frame? --yes--------------------------------.
//!               | no                                           v
//!               v                                            install --> pageout daemon?
//!             candidate: the page a placeholder points at,     ^
//!             else the clock's proposal                        |
//!               v                                              |
//!             owner has a graft? --> transaction --> victim ---'
//! ```
//!
//! A fault gets a frame whatever grafts answer, unless everything is wired or swap space is full.
use super::Kernel;
use super::transact::{CommitRecord, EvictionOrder};
use crate::config::FirstTouch;
use crate::event::{Event, Eviction, EvictionOutcome, LogLevel};
use crate::graft::invoke::{self, Surroundings};
use crate::graft::registry::Graft;
use crate::graft::{Misbehaviour, Point};
use crate::ids::{FrameNo, PageNo, VasId};
use crate::run::Meter;
use crate::vm::{NoVictim, Residency};

impl Kernel {
    /// Brings a page into memory; false if there is no frame to be had.
    pub(super) fn fault(
        &mut self,
        vas: VasId,
        page: PageNo,
        write: bool,
        meter: &mut dyn Meter,
    ) -> bool {
        self.counters.faults += 1;
        // Every event is written during a fault, so chunks end here and nowhere else by time.
        self.log.pass_reference(self.counters.references);
        let candidate = self.vm.take_placeholder(vas, page);
        if self.vm.free_frames() == 0
            && let Err(reason) = self.evict_one(candidate, meter)
        {
            self.fail_fault(vas, page, reason);
            return false;
        }
        let first_touch = self.config.first_touch == FirstTouch::Modified
            && self.vm.vas(vas).residency(page) == Residency::Untouched;
        self.vm.install(vas, page, write || first_touch);
        if self.config.free_target > 0 || self.grafts.awake_pagedaemon().is_some() {
            self.consider_pageout(meter);
        }
        true
    }

    fn fail_fault(&mut self, vas: VasId, page: PageNo, reason: NoVictim) {
        self.counters.failed_faults += 1;
        let reference = self.counters.references;
        self.log.write(&match reason {
            NoVictim::AllWired => Event::MemoryExhausted {
                reference,
                vas,
                page,
            },
            NoVictim::SwapFull => Event::SwapExhausted {
                reference,
                vas,
                page,
            },
        });
    }

    /// Frees one frame.
    ///
    /// # Threat
    ///
    /// A graft could keep the kernel from getting a frame, or cost another process its pages.
    ///
    /// # Defence
    ///
    /// It is asked once. Its answer is a resident page of its own address space, or the proposal
    /// goes; the page that stays takes the victim's place, so it is offered again in its turn. What
    /// it wires is bounded, and wiring the proposal without giving another page is a bad answer.
    fn evict_one(
        &mut self,
        candidate: Option<FrameNo>,
        meter: &mut dyn Meter,
    ) -> Result<(), NoVictim> {
        let candidate = candidate.filter(|&frame| self.vm.is_evictable(frame));
        let proposed = match candidate {
            Some(frame) => frame,
            None => self.vm.propose()?,
        };
        let owner = self.vm.owner(proposed).expect("a proposal is occupied");
        let unasked = EvictionOrder::unasked(proposed);
        let Some(graft) = self.grafts.pick_victim(owner) else {
            self.evict(unasked, meter);
            return Ok(());
        };
        let txn = self.txns.next_id();
        let ask = |graft: &mut Graft, around: &mut Surroundings<'_>| {
            let choice = invoke::pick_victim(graft, proposed, around)?;
            let eviction = EvictionOrder::chosen(choice, proposed, txn);
            let logged = around.kernel.txns.log_commit(CommitRecord::Evict(eviction));
            logged.expect("one act of one transaction fits");
            Ok(())
        };
        let asked = self.transact((graft, Point::VasPickVictim), meter, ask);
        if asked.is_none() {
            // The abort dropped the act: the default serves this same eviction.
            let txn = Some(txn);
            self.evict(EvictionOrder { txn, ..unasked }, meter);
        }
        Ok(())
    }

    /// Takes the victim out of memory, writing it to swap first if it was modified.
    pub(super) fn evict(&mut self, eviction: EvictionOrder, meter: &mut dyn Meter) {
        self.note_eviction(eviction, meter);
        let EvictionOrder {
            victim, proposed, ..
        } = eviction;
        if victim == proposed {
            self.vm.evict(victim);
        } else {
            self.vm.evict_instead(proposed, victim);
        }
    }

    /// Takes a victim out of memory that has left its list already.
    pub(super) fn finish_departure(&mut self, eviction: EvictionOrder, meter: &mut dyn Meter) {
        self.vm.claim_swap(eviction.victim);
        self.note_eviction(eviction, meter);
        self.vm.finish_departure(eviction.proposed, eviction.victim);
    }

    /// Writes a victim to swap if it was modified, counts the eviction and tells of it.
    fn note_eviction(&mut self, eviction: EvictionOrder, meter: &mut dyn Meter) {
        let EvictionOrder {
            victim,
            proposed,
            outcome,
            txn,
        } = eviction;
        let modified = self.vm.must_write(victim);
        if modified {
            self.write_out(victim, meter);
        }
        self.counters.evictions += 1;
        self.counters.overrides += u64::from(outcome == EvictionOutcome::Override);
        self.counters.not_found += u64::from(outcome == EvictionOutcome::NotFound);
        if self.level == LogLevel::Evictions {
            let reference = self.counters.references;
            self.log.evicted(&Eviction {
                reference,
                vas: self.vm.owner(victim).expect("a victim is occupied"),
                page: self.vm.page(victim),
                proposed: self.vm.page(proposed),
                outcome,
                txn,
                modified,
            });
        }
    }

    /// Writes a modified victim to swap, together with neighbours that would follow soon.
    ///
    /// # Threat
    ///
    /// A graft could drop, repeat or invent a page.
    ///
    /// # Defence
    ///
    /// Its answer is a permutation of what it was given, or the kernel's order is kept.
    fn write_out(&mut self, victim: FrameNo, meter: &mut dyn Meter) {
        let gathered = self.vm.gather_cluster(victim);
        let mut cluster = gathered;
        if let Some(graft) = self.grafts.swap_pageout_order() {
            let point = Point::PmMgrSwapPageoutOrder;
            let ask = |graft: &mut Graft, around: &mut Surroundings<'_>| {
                let ordered = invoke::pageout_order(graft, &gathered, around)?;
                // The act is the write below, which happens in either case.
                let logged = around.kernel.txns.log_commit(CommitRecord::WriteOut);
                logged.expect("one act of one transaction fits");
                Ok::<_, Misbehaviour>(ordered)
            };
            if let Some(Some(ordered)) = self.transact((graft, point), meter, ask) {
                cluster = ordered;
            }
        }
        let first_slot = self.vm.write_out(&cluster);
        self.counters.pages_written += cluster.frames().len() as u64;
        if self.level == LogLevel::Evictions {
            let reference = self.counters.references;
            self.log.write(&Event::PagesWritten {
                reference,
                first_slot,
                pages: self.vm.pages_of(&cluster),
            });
        }
    }

    /// Wakes the pageout daemon if free frames run short, or as a graft decides.
    fn consider_pageout(&mut self, meter: &mut dyn Meter) {
        let (free, free_min) = (self.vm.free_frames(), self.config.free_min);
        let mut awake = free < free_min;
        if let Some(graft) = self.grafts.awake_pagedaemon() {
            let point = Point::PmMgrAwakePagedaemon;
            let ask = |graft: &mut Graft, around: &mut Surroundings<'_>| {
                invoke::ask_about_frames(graft, point, free, free_min, around)
            };
            if let Some(Some(answer)) = self.transact((graft, point), meter, ask) {
                awake = answer;
            }
        }
        if awake {
            self.run_pagedaemon(meter);
        }
    }

    /// Evicts until the target is reached, or until a graft says stop.
    ///
    /// # Threat
    ///
    /// A graft could let the daemon run for ever.
    ///
    /// # Defence
    ///
    /// A pass ends once as many pages were evicted as were in memory when it began.
    fn run_pagedaemon(&mut self, meter: &mut dyn Meter) {
        let resident = self.vm.frames() - self.vm.free_frames();
        for _ in 0..resident {
            if self.has_freed_enough(meter) || self.evict_one(None, meter).is_err() {
                return;
            }
        }
    }

    fn has_freed_enough(&mut self, meter: &mut dyn Meter) -> bool {
        let (free, free_target) = (self.vm.free_frames(), self.config.free_target);
        let enough = free >= free_target;
        let Some(graft) = self.grafts.stop_pageout() else {
            return enough;
        };
        let point = Point::PmMgrStopPageout;
        let ask = |graft: &mut Graft, around: &mut Surroundings<'_>| {
            invoke::ask_about_frames(graft, point, free, free_target, around)
        };
        self.transact((graft, point), meter, ask)
            .flatten()
            .unwrap_or(enough)
    }
}
