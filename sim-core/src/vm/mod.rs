//! Virtual memory: frames, address spaces, the clock, swap space.
//!
//! [`Vm`] holds the state and the mechanisms that keep it consistent; it decides nothing that a
//! graft may decide. The kernel (`crate::kernel`) asks it for a proposal, asks the grafts, and
//! tells it what to evict.
//!
//! ```text
//!   page table (Vas) --> frame --> entry in the owner's page view --> list of evictable pages
//!        ^                 |
//!        |                 +--> ring position (Clock), recency (Recency), placeholders
//!        +---- Frame { owner, page }
//! ```
//!
//! # Invariants
//!
//! A page table entry and a frame's owner and page name each other; a frame is free, or its owner's
//! view has an entry for it that is wired or in the list; the ring is a permutation of the frames.
mod clock;
mod coremap;
mod invariants;
mod placeholder;
mod recency;
mod restoration;
mod swap;
#[cfg(test)]
mod twin;
mod undo;
mod vas;
mod view;

use vino_abi as abi;
use vino_abi::page_view::{STATE_MODIFIED, STATE_REFERENCED};
use vino_sandbox::ExecError;

use crate::config::{EvictionPolicy, KernelConfig};
use crate::ids::{FrameNo, PageNo, VasId};

use clock::Clock;
use coremap::Coremap;
pub use invariants::InvariantViolation;
use placeholder::Placeholders;
use recency::Recency;
pub(crate) use restoration::Restoration;
use restoration::Unwatched;
use swap::Swap;
pub(crate) use swap::{CLUSTER_PAGES_MAX, Cluster};
pub(crate) use undo::{SetStateError, UndoRecord};
pub(crate) use vas::{Residency, Vas};
pub(crate) use view::{frame_of, link_of};

/// Why no page can be evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoVictim {
    /// Every page in memory is wired.
    AllWired,
    /// Every page that is not wired is modified, and swap space is full.
    SwapFull,
}

/// Memory and everything that uses it.
#[derive(Debug)]
pub(crate) struct Vm {
    coremap: Coremap,
    vases: Vec<Vas>,
    clock: Clock,
    recency: Option<Recency>,
    placeholders: Placeholders,
    swap: Swap,
    /// Pages that left their list inside a transaction and still have their frame.
    departing: u32,
}

impl Vm {
    pub(crate) fn new(config: &KernelConfig) -> Result<Vm, ExecError> {
        let ids = (0..).map(VasId).take(config.processes.len());
        let vases = ids.map(|id| Vas::new(id, config.frames));
        let vases: Vec<Vas> = vases.collect::<Result<_, _>>()?;
        Ok(Vm {
            coremap: Coremap::new(config.frames),
            placeholders: Placeholders::new(config.frames, vases.len()),
            vases,
            clock: Clock::new(config.frames, config.handspread()),
            recency: match config.policy {
                EvictionPolicy::Lru => Some(Recency::new(config.frames)),
                EvictionPolicy::TwoHandedClock { .. } => None,
            },
            swap: Swap::new(config.swap_pages),
            departing: 0,
        })
    }

    pub(crate) fn frames(&self) -> u32 {
        self.coremap.frames()
    }

    pub(crate) fn free_frames(&self) -> u32 {
        self.coremap.free_frames()
    }

    /// Frames that become free when the open transactions commit.
    pub(crate) fn departing(&self) -> u32 {
        self.departing
    }

    pub(crate) fn vas(&self, vas: VasId) -> &Vas {
        &self.vases[vas.index()]
    }

    pub(crate) fn vas_mut(&mut self, vas: VasId) -> &mut Vas {
        &mut self.vases[vas.index()]
    }

    /// Whose page a frame holds; `None` if it is free.
    pub(crate) fn owner(&self, frame: FrameNo) -> Option<VasId> {
        self.coremap.owner(frame)
    }

    /// The page that an occupied frame holds.
    pub(crate) fn page(&self, frame: FrameNo) -> PageNo {
        self.coremap.page(frame)
    }

    /// Records a reference to a resident page.
    #[inline]
    pub(crate) fn hit(&mut self, vas: VasId, frame: FrameNo, write: bool) {
        let flags = if write {
            STATE_REFERENCED | STATE_MODIFIED
        } else {
            STATE_REFERENCED
        };
        let view = self.vases[vas.index()].view_mut();
        view.set_flags(frame, flags);
        if let Some(recency) = &mut self.recency {
            recency.touch(frame);
            if view.state(frame) != abi::PAGE_WIRED {
                view.reactivate(frame, &mut Unwatched);
            }
        }
    }

    /// Puts `page` into a free frame, as its owner's newest active page.
    ///
    /// # Panics
    ///
    /// There is no free frame; the caller evicts first.
    #[inline]
    pub(crate) fn install(&mut self, vas: VasId, page: PageNo, modified: bool) -> FrameNo {
        let frame = self.coremap.take_free(vas, page);
        let flags = if modified { STATE_MODIFIED } else { 0 };
        self.vases[vas.index()].install(page, frame, flags);
        if let Some(recency) = &mut self.recency {
            recency.push(frame);
        }
        frame
    }

    /// Takes the page out of a frame, which becomes free.
    #[inline]
    pub(crate) fn evict(&mut self, frame: FrameNo) {
        let owner = self.coremap.owner(frame).expect("the frame is occupied");
        let page = self.coremap.page(frame);
        self.vases[owner.index()].remove(page, frame);
        self.release(frame);
    }

    /// Evicts a page that its owner chose to lose and lets `keeper` take its place.
    ///
    /// The place is that in the clock, or in the recency order, and in the owner's list: so the
    /// page that stays is not judged again before the one that went would have been. A placeholder
    /// remembers the choice.
    pub(crate) fn evict_instead(&mut self, keeper: FrameNo, leaver: FrameNo) {
        let owner = self.coremap.owner(leaver).expect("the frame is occupied");
        let page = self.coremap.page(leaver);
        self.vases[owner.index()].remove_in_favour(page, leaver, keeper);
        self.leave_place_to(keeper, leaver);
    }

    /// Frees the frame of a page that departed, whose place goes to the page in `keeper`, unless
    /// that is the same page.
    ///
    /// Swap space was set aside for it: [`Vm::claim_swap`] comes first.
    pub(crate) fn finish_departure(&mut self, keeper: FrameNo, leaver: FrameNo) {
        let owner = self.coremap.owner(leaver).expect("the frame is occupied");
        let page = self.coremap.page(leaver);
        self.vases[owner.index()].remove_departed(page, leaver);
        self.departing -= 1;
        if keeper == leaver {
            self.release(leaver);
        } else {
            self.leave_place_to(keeper, leaver);
        }
    }

    /// Gives a page that departed the swap space that was set aside for it.
    pub(crate) fn claim_swap(&mut self, frame: FrameNo) {
        self.swap.release(u64::from(self.needs_swap(frame)));
    }

    /// Frees the frame of a page that was removed; `keeper` takes its place in the clock, or in the
    /// recency order.
    fn leave_place_to(&mut self, keeper: FrameNo, leaver: FrameNo) {
        let owner = self.coremap.owner(leaver).expect("the frame is occupied");
        let page = self.coremap.page(leaver);
        self.coremap
            .exchange_positions(keeper, leaver, &mut self.clock);
        if let Some(recency) = &mut self.recency {
            recency.take_place(keeper, leaver);
        }
        self.placeholders.drop_frame(leaver);
        self.placeholders.insert(owner, page, keeper);
        self.coremap.release(leaver);
    }

    fn release(&mut self, frame: FrameNo) {
        if let Some(recency) = &mut self.recency {
            recency.remove(frame);
        }
        if !self.placeholders.is_empty() {
            self.placeholders.drop_frame(frame);
        }
        self.coremap.release(frame);
    }

    /// Lets an address space's graft override, which leaves placeholders.
    pub(crate) fn prepare_overrides(&mut self, vas: VasId) {
        let pages = self.vases[vas.index()].pages();
        self.placeholders.prepare(vas, pages);
    }

    /// Forgets what an address space's graft chose, because the graft is gone.
    pub(crate) fn forget_overrides(&mut self, vas: VasId) {
        self.placeholders.drop_vas(vas);
    }

    /// Takes the placeholder that the faulting `page` may have left: the frame to offer first.
    #[inline]
    pub(crate) fn take_placeholder(&mut self, vas: VasId, page: PageNo) -> Option<FrameNo> {
        if self.placeholders.is_empty() {
            return None;
        }
        self.placeholders.take(vas, page)
    }

    /// Whether the page in a frame may be evicted now.
    #[inline]
    pub(crate) fn is_evictable(&self, frame: FrameNo) -> bool {
        let Some(owner) = self.coremap.owner(frame) else {
            return false;
        };
        let vas = &self.vases[owner.index()];
        vas.view().is_listed(frame) && !self.lacks_swap(vas, frame)
    }

    /// Whether evicting the page in an occupied frame takes swap space that it has not yet.
    fn needs_swap(&self, frame: FrameNo) -> bool {
        let owner = self.coremap.owner(frame).expect("the frame is occupied");
        let vas = &self.vases[owner.index()];
        vas.view().is_modified(frame) && !vas.has_copy(self.coremap.page(frame))
    }

    /// Whose page a frame holds, for whoever asks inside a transaction: nobody's, if the page is on
    /// its way out.
    #[inline]
    pub(crate) fn visible_owner(&self, frame: FrameNo) -> Option<VasId> {
        let owner = self.coremap.owner(frame)?;
        let state = self.vases[owner.index()].view().state(frame);
        (state != abi::PAGE_FREE).then_some(owner)
    }

    /// Whether evicting would need swap space that is not there.
    #[inline]
    fn lacks_swap(&self, vas: &Vas, frame: FrameNo) -> bool {
        self.swap.is_full()
            && vas.view().is_modified(frame)
            && !vas.has_copy(self.coremap.page(frame))
    }

    /// Names the page that the kernel's own policy would evict.
    #[inline]
    pub(crate) fn propose(&mut self) -> Result<FrameNo, NoVictim> {
        match &self.recency {
            Some(_) => self.propose_least_recent(),
            None => self.advance_clock(),
        }
    }

    /// Names a page to evict without moving the hands, so that there is nothing to undo.
    ///
    /// It is the page that the back hand would reach first among those not referenced, or else the
    /// first that can be evicted.
    pub(crate) fn foresee(&self) -> Result<FrameNo, NoVictim> {
        if self.recency.is_some() {
            return self.propose_least_recent();
        }
        let mut reason = NoVictim::AllWired;
        let mut second_choice = None;
        for frame in self.clock.ahead() {
            if self.is_evictable(frame) {
                let owner = self.coremap.owner(frame).expect("evictable");
                if !self.vases[owner.index()].view().is_referenced(frame) {
                    return Ok(frame);
                }
                second_choice.get_or_insert(frame);
            } else if let Some(owner) = self.coremap.owner(frame)
                && self.lacks_swap(&self.vases[owner.index()], frame)
            {
                reason = NoVictim::SwapFull;
            }
        }
        second_choice.ok_or(reason)
    }

    fn propose_least_recent(&self) -> Result<FrameNo, NoVictim> {
        let recency = self.recency.as_ref().expect("the policy is LRU");
        let mut reason = NoVictim::AllWired;
        for frame in recency.iter() {
            if self.is_evictable(frame) {
                return Ok(frame);
            }
            let owner = self.coremap.owner(frame).expect("only occupied frames");
            if self.lacks_swap(&self.vases[owner.index()], frame) {
                reason = NoVictim::SwapFull;
            }
        }
        Err(reason)
    }

    /// Hash of everything a run's future depends on, except grafts, counters and time.
    pub(crate) fn state_digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        self.coremap.hash_into(&mut hasher);
        for vas in &self.vases {
            vas.hash_into(&mut hasher);
        }
        self.clock.hash_into(&mut hasher);
        if let Some(recency) = &self.recency {
            for frame in recency.iter() {
                hasher.update(&frame.0.to_le_bytes());
            }
        }
        for (vas, page, frame) in self.placeholders.iter() {
            for number in [vas.0, page.0, frame.0] {
                hasher.update(&number.to_le_bytes());
            }
        }
        self.swap.hash_into(&mut hasher);
        *hasher.finalize().as_bytes()
    }
}
