//! The invariants of virtual memory, checked in tests after every step.
use super::Vm;
use crate::ids::FrameNo;

/// A contradiction in the kernel's state: a bug of the kernel, whatever a graft did.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the kernel's state contradicts itself: {problem}")]
pub struct InvariantViolation {
    /// What contradicts what.
    pub problem: String,
}

impl Vm {
    /// Checks everything that must hold between commands; takes time proportional to memory.
    pub(crate) fn check_invariants(&self) -> Result<(), InvariantViolation> {
        let fail = |problem: String| Err(InvariantViolation { problem });
        for vas in &self.vases {
            if let Some(problem) = vas.find_contradiction(&self.coremap) {
                return fail(problem.to_owned());
            }
        }
        let ahead: Vec<FrameNo> = self.clock.ahead().collect();
        let mut ring = ahead.clone();
        ring.sort_unstable();
        if ring
            .iter()
            .enumerate()
            .any(|(at, frame)| frame.index() != at)
        {
            return fail("the ring is not a permutation of the frames".to_owned());
        }
        if self.departing != 0 || self.swap.is_reserved() {
            return fail("a page is on its way out, or swap space is set aside".to_owned());
        }
        let mut occupied = 0;
        for frame in (0..self.frames()).map(FrameNo) {
            let Some(owner) = self.coremap.owner(frame) else {
                if !self.coremap.is_free_listed(frame) {
                    return fail(format!("{frame} is neither occupied nor free"));
                }
                continue;
            };
            occupied += 1;
            let page = self.coremap.page(frame);
            if self.vases[owner.index()].frame_of(page) != Some(frame) {
                return fail(format!("{frame} holds {page}, which is elsewhere"));
            }
        }
        if occupied + self.free_frames() != self.frames() {
            return fail("free and occupied frames are not all frames".to_owned());
        }
        for (vas, page, frame) in self.placeholders.iter() {
            let stays = self.coremap.owner(frame) == Some(vas);
            if !stays || self.vases[vas.index()].frame_of(page).is_some() {
                return fail(format!("a placeholder of {page} points at {frame} in vain"));
            }
        }
        if let Some(recency) = &self.recency
            && recency.iter().count() != occupied as usize
        {
            return fail("the recency order does not hold every occupied frame".to_owned());
        }
        let copies: u64 = self.vases.iter().map(|vas| vas.n_copies()).sum();
        if copies != self.swap.used() {
            return fail("the count of pages in swap space is wrong".to_owned());
        }
        Ok(())
    }
}
