//! Swap space: where modified pages go when they lose their frame.
//!
//! Space is counted in pages, one copy for each page that was ever written out; writing a page
//! again replaces its copy. Positions grow like a log's, so the pages of one cluster are always
//! neighbours, in the order in which they are written. The space is bounded, and running out is
//! the faulting process's error, never the kernel's.
use vino_abi::page_view::STATE_MODIFIED;

use super::Vm;
use crate::ids::{FrameNo, PageNo, VasId};

/// Pages that are written out together at most.
pub(crate) const CLUSTER_PAGES_MAX: usize = 16;
/// Ring positions ahead of the back hand that are searched for a cluster.
const CLUSTER_SCAN_FRAMES: usize = 64;

/// The account of swap space.
#[derive(Debug)]
pub(super) struct Swap {
    pages_max: u64,
    used: u64,
    /// Pages that a transaction is to evict and for which room must stay.
    set_aside: u64,
    next_position: u64,
}

impl Swap {
    pub(super) fn new(pages_max: u64) -> Swap {
        Swap {
            pages_max,
            used: 0,
            set_aside: 0,
            next_position: 0,
        }
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.room() == 0
    }

    /// Pages that have no copy yet and can be given one.
    #[inline]
    fn room(&self) -> u64 {
        self.pages_max.saturating_sub(self.used + self.set_aside)
    }

    pub(super) fn is_reserved(&self) -> bool {
        self.set_aside != 0
    }

    pub(super) fn set_aside(&mut self, pages: u64) {
        self.set_aside += pages;
    }

    pub(super) fn release(&mut self, pages: u64) {
        self.set_aside -= pages;
    }

    pub(super) fn hash_into(&self, hasher: &mut blake3::Hasher) {
        hasher.update(&self.used.to_le_bytes());
        hasher.update(&self.set_aside.to_le_bytes());
        hasher.update(&self.next_position.to_le_bytes());
    }

    pub(super) fn used(&self) -> u64 {
        self.used
    }
}

/// Modified pages that are written out together, the victim among them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cluster {
    frames: [FrameNo; CLUSTER_PAGES_MAX],
    len: usize,
}

impl Cluster {
    /// The frames of the pages, in the order in which they are written.
    pub(crate) fn frames(&self) -> &[FrameNo] {
        &self.frames[..self.len]
    }

    /// The same pages in another order, given as indices; `None` if it is not a permutation.
    pub(crate) fn reordered(&self, order: &[usize]) -> Option<Cluster> {
        let mut frames = self.frames;
        let mut seen = [false; CLUSTER_PAGES_MAX];
        if order.len() != self.len {
            return None;
        }
        for (to, &from) in order.iter().enumerate() {
            let from_frame = *self.frames().get(from)?;
            if std::mem::replace(&mut seen[from], true) {
                return None;
            }
            frames[to] = from_frame;
        }
        Some(Cluster { frames, ..*self })
    }
}

impl Vm {
    /// Whether evicting the page in a frame means writing it first.
    #[inline]
    pub(crate) fn must_write(&self, frame: FrameNo) -> bool {
        let owner = self.coremap.owner(frame).expect("the frame is occupied");
        self.vases[owner.index()].view().is_modified(frame)
    }

    /// Gathers the victim and modified pages that the clock will reach soon.
    ///
    /// The victim must be evictable, so that it has room in swap space.
    pub(crate) fn gather_cluster(&self, victim: FrameNo) -> Cluster {
        let mut cluster = Cluster {
            frames: [victim; CLUSTER_PAGES_MAX],
            len: 1,
        };
        let owner = self.coremap.owner(victim).expect("the frame is occupied");
        let copied = self.vases[owner.index()].has_copy(self.coremap.page(victim));
        let mut room = self.swap.room() - u64::from(!copied);
        for frame in self.clock.ahead().take(CLUSTER_SCAN_FRAMES) {
            if cluster.len == CLUSTER_PAGES_MAX {
                break;
            }
            if frame == victim || !self.is_worth_cleaning(frame) {
                continue;
            }
            let owner = self.coremap.owner(frame).expect("worth cleaning");
            if !self.vases[owner.index()].has_copy(self.coremap.page(frame)) {
                if room == 0 {
                    continue;
                }
                room -= 1;
            }
            cluster.frames[cluster.len] = frame;
            cluster.len += 1;
        }
        cluster
    }

    /// Whether a page is modified and likely to be evicted soon.
    fn is_worth_cleaning(&self, frame: FrameNo) -> bool {
        let Some(owner) = self.coremap.owner(frame) else {
            return false;
        };
        let view = self.vases[owner.index()].view();
        view.is_modified(frame) && !view.is_referenced(frame) && view.is_listed(frame)
    }

    /// Writes the pages of a cluster in its order; they stay resident and are clean. Gives the
    /// position of the first.
    pub(crate) fn write_out(&mut self, cluster: &Cluster) -> u64 {
        let first = self.swap.next_position;
        for &frame in cluster.frames() {
            let owner = self.coremap.owner(frame).expect("the frame is occupied");
            let page = self.coremap.page(frame);
            let position = self.swap.next_position;
            let vas = &mut self.vases[owner.index()];
            if vas.set_copy(page, position) {
                self.swap.used += 1;
            }
            vas.view_mut().clear_flags(frame, STATE_MODIFIED);
            self.swap.next_position += 1;
        }
        debug_assert!(self.swap.used <= self.swap.pages_max, "room was counted");
        first
    }

    /// Owner and page of each frame of a cluster.
    pub(crate) fn pages_of(&self, cluster: &Cluster) -> Vec<(VasId, PageNo)> {
        let frames = cluster.frames().iter();
        let page = |&frame| Some((self.coremap.owner(frame)?, self.coremap.page(frame)));
        frames.filter_map(page).collect()
    }
}
