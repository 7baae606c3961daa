//! The coremap: what each frame of memory holds, and which frames are free.
use std::collections::VecDeque;

use super::clock::Clock;
use crate::ids::{FrameNo, PageNo, VasId};

/// The owner of a frame that nobody owns.
const NOBODY: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Frame {
    owner: u32,
    page: u32,
    /// Where the clock finds the frame.
    position: u32,
}

/// All frames. Free ones are reused in the order in which they became free, so that the order of
/// the ring is the order in which pages came in.
#[derive(Debug)]
pub(super) struct Coremap {
    frames: Vec<Frame>,
    free: VecDeque<u32>,
}

impl Coremap {
    pub(super) fn new(frames: u32) -> Coremap {
        let frame = |position| Frame {
            owner: NOBODY,
            page: 0,
            position,
        };
        Coremap {
            frames: (0..frames).map(frame).collect(),
            free: (0..frames).collect(),
        }
    }

    pub(super) fn frames(&self) -> u32 {
        u32::try_from(self.frames.len()).expect("FRAMES_MAX fits u32")
    }

    pub(super) fn free_frames(&self) -> u32 {
        u32::try_from(self.free.len()).expect("FRAMES_MAX fits u32")
    }

    #[inline]
    pub(super) fn owner(&self, frame: FrameNo) -> Option<VasId> {
        let owner = self.frames[frame.index()].owner;
        (owner != NOBODY).then_some(VasId(owner))
    }

    #[inline]
    pub(super) fn page(&self, frame: FrameNo) -> PageNo {
        PageNo(self.frames[frame.index()].page)
    }

    pub(super) fn position(&self, frame: FrameNo) -> u32 {
        self.frames[frame.index()].position
    }

    #[inline]
    pub(super) fn take_free(&mut self, vas: VasId, page: PageNo) -> FrameNo {
        let frame = self.free.pop_front().expect("the caller made room");
        let entry = &mut self.frames[frame as usize];
        (entry.owner, entry.page) = (vas.0, page.0);
        FrameNo(frame)
    }

    #[inline]
    pub(super) fn release(&mut self, frame: FrameNo) {
        self.frames[frame.index()].owner = NOBODY;
        self.free.push_back(frame.0);
    }

    /// Lets two frames take each other's place in the ring.
    pub(super) fn exchange_positions(&mut self, one: FrameNo, other: FrameNo, clock: &mut Clock) {
        let positions = (self.position(one), self.position(other));
        clock.exchange(positions.0, positions.1);
        self.frames[one.index()].position = positions.1;
        self.frames[other.index()].position = positions.0;
    }

    pub(super) fn is_free_listed(&self, frame: FrameNo) -> bool {
        self.free.contains(&frame.0)
    }

    pub(super) fn hash_into(&self, hasher: &mut blake3::Hasher) {
        let mut bytes = Vec::with_capacity(12 * self.frames.len());
        for frame in &self.frames {
            // A free frame's page is what it held last and means nothing.
            let page = if frame.owner == NOBODY { 0 } else { frame.page };
            for number in [frame.owner, page, frame.position] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
        }
        bytes.extend(self.free.iter().flat_map(|frame| frame.to_le_bytes()));
        hasher.update(&bytes);
    }
}
