//! The two-handed clock: the kernel's default for proposing victims.
//!
//! ```text
//!          back hand                 front hand
//!              v      handspread         v
//!   ring: ... [p] [ ] [ ] [ ] [ ] [ ] [ ] [q] ...      both move to the right
//! ```
//!
//! The front hand clears a page's referenced bit and deactivates it; by the time the back hand
//! arrives, the page has had `handspread` frames' worth of time to be referenced again. If it was,
//! the back hand reactivates it, otherwise it proposes it.
//!
//! When the spread is the whole ring the hands coincide: the back hand judges a page and the front
//! hand clears its bit in the same step, and the page that stays remains active. That is the
//! classic CLOCK (FIFO with reinsertion), whose bit is clear when a page comes in.
//!
//! The ring holds positions, not frames, so that two pages can exchange their places (LRU-SP).
use vino_abi as abi;
use vino_abi::page_view::{STATE_MASK, STATE_REFERENCED};

use super::{NoVictim, Unwatched, Vm};
use crate::ids::FrameNo;

/// Revolutions after which the clock gives up: the first clears every bit, so the second finds a
/// page unless none may be evicted.
const REVOLUTIONS_MAX: usize = 2;

/// The ring and its hands.
#[derive(Debug)]
pub(super) struct Clock {
    ring: Vec<u32>,
    back: usize,
    spread: usize,
}

impl Clock {
    pub(super) fn new(frames: u32, spread: u32) -> Clock {
        Clock {
            ring: (0..frames).collect(),
            back: 0,
            spread: spread as usize,
        }
    }

    /// Advances the back hand and gives the frame it left.
    #[inline]
    fn advance(&mut self) -> FrameNo {
        let frame = self.ring[self.back];
        self.back += 1;
        if self.back == self.ring.len() {
            self.back = 0;
        }
        FrameNo(frame)
    }

    /// The frame that the front hand reaches, unless the hands coincide.
    #[inline]
    fn front(&self) -> Option<FrameNo> {
        let frames = self.ring.len();
        if self.spread == frames {
            return None;
        }
        Some(FrameNo(self.ring[(self.back + self.spread) % frames]))
    }

    pub(super) fn exchange(&mut self, one: u32, other: u32) {
        self.ring.swap(one as usize, other as usize);
    }

    /// The frames from the back hand on, one revolution.
    pub(super) fn ahead(&self) -> impl Iterator<Item = FrameNo> + '_ {
        let (before, after) = self.ring.split_at(self.back);
        after.iter().chain(before).map(|&frame| FrameNo(frame))
    }

    pub(super) fn hash_into(&self, hasher: &mut blake3::Hasher) {
        hasher.update(&(self.back as u64).to_le_bytes());
        for frame in &self.ring {
            hasher.update(&frame.to_le_bytes());
        }
    }
}

impl Vm {
    /// Moves the hands until the back hand finds a page to propose.
    pub(super) fn advance_clock(&mut self) -> Result<FrameNo, NoVictim> {
        let mut reason = NoVictim::AllWired;
        for _ in 0..REVOLUTIONS_MAX * self.clock.ring.len() {
            if let Some(front) = self.clock.front() {
                self.pass_front_hand(front);
            }
            let frame = self.clock.advance();
            let Some(owner) = self.coremap.owner(frame) else {
                continue;
            };
            let vas = &mut self.vases[owner.index()];
            let state_word = vas.view().state_word(frame);
            if state_word & STATE_MASK == abi::PAGE_WIRED {
                continue;
            }
            if state_word & STATE_REFERENCED != 0 {
                let view = vas.view_mut();
                if self.clock.spread == self.clock.ring.len() {
                    view.clear_flags(frame, STATE_REFERENCED);
                }
                view.reactivate(frame, &mut Unwatched);
                continue;
            }
            if self.swap.is_full() && self.lacks_swap(&self.vases[owner.index()], frame) {
                reason = NoVictim::SwapFull;
                continue;
            }
            return Ok(frame);
        }
        Err(reason)
    }

    /// Clears the referenced bit of the front hand's page and deactivates it.
    fn pass_front_hand(&mut self, frame: FrameNo) {
        let Some(owner) = self.coremap.owner(frame) else {
            return;
        };
        let view = self.vases[owner.index()].view_mut();
        let state_word = view.state_word(frame);
        if state_word & STATE_REFERENCED != 0 {
            view.clear_flags(frame, STATE_REFERENCED);
        }
        if state_word & STATE_MASK == abi::PAGE_ACTIVE {
            view.deactivate(frame, &mut Unwatched);
        }
    }
}
