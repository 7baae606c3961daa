//! Placeholders of LRU-SP: what a graft's choice to evict B instead of A leaves behind.
//!
//! The kernel proposed A, the graft chose B, so A stays only because of the graft. If B is wanted
//! again while A is still there, the choice was a mistake, and A is the next candidate: a bad
//! override costs its own process a page, not somebody else (Cao, Felten and Li, 1994).
//!
//! A placeholder belongs to the absent page B and points at the frame that holds A. There are at
//! most as many as frames; the oldest makes room.
use crate::ids::{FrameNo, PageNo, VasId};

/// No placeholder, at the end of a chain.
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    vas: u32,
    page: u32,
    frame: u32,
    /// Chain of the placeholders that point at one frame.
    frame_prev: u32,
    frame_next: u32,
    /// Chain of all live placeholders, oldest first; or of all free slots.
    age_prev: u32,
    age_next: u32,
}

/// All placeholders of one kernel.
#[derive(Debug)]
pub(crate) struct Placeholders {
    slots: Vec<Slot>,
    /// For each address space and page, its placeholder; empty while the address space has none.
    of_page: Vec<Vec<u32>>,
    /// For each frame, the newest placeholder that points at it; empty until there is one.
    of_frame: Vec<u32>,
    frames: u32,
    free: u32,
    oldest: u32,
    newest: u32,
    live: u32,
}

impl Placeholders {
    pub(crate) fn new(frames: u32, vases: usize) -> Placeholders {
        Placeholders {
            slots: Vec::new(),
            of_page: vec![Vec::new(); vases],
            of_frame: Vec::new(),
            frames,
            free: NONE,
            oldest: NONE,
            newest: NONE,
            live: 0,
        }
    }

    /// Makes room for placeholders of an address space, so that inserting never allocates.
    pub(crate) fn prepare(&mut self, vas: VasId, pages: u32) {
        let of_page = &mut self.of_page[vas.index()];
        of_page.resize(of_page.len().max(pages as usize), NONE);
        if self.of_frame.is_empty() {
            self.of_frame = vec![NONE; self.frames as usize];
            self.slots.reserve_exact(self.frames as usize);
        }
    }

    /// Whether there is none, which is the case as long as no graft overrides.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Remembers that `page` was evicted so that the page in `frame` could stay.
    pub(crate) fn insert(&mut self, vas: VasId, page: PageNo, frame: FrameNo) {
        self.take(vas, page);
        let index = self.new_slot();
        let first = self.of_frame[frame.index()];
        self.slots[index as usize] = Slot {
            vas: vas.0,
            page: page.0,
            frame: frame.0,
            frame_prev: NONE,
            frame_next: first,
            age_prev: self.newest,
            age_next: NONE,
        };
        if let Some(first) = self.slots.get_mut(first as usize) {
            first.frame_prev = index;
        }
        self.of_frame[frame.index()] = index;
        match self.slots.get_mut(self.newest as usize) {
            Some(newest) => newest.age_next = index,
            None => self.oldest = index,
        }
        self.newest = index;
        self.of_page[vas.index()][page.index()] = index;
        self.live += 1;
    }

    /// Takes the placeholder of `page`, if it has one, and gives the frame it points at.
    pub(crate) fn take(&mut self, vas: VasId, page: PageNo) -> Option<FrameNo> {
        let index = *self.of_page[vas.index()].get(page.index())?;
        let frame = self.slots.get(index as usize)?.frame;
        self.release(index);
        Some(FrameNo(frame))
    }

    /// Drops the placeholders that point at a frame whose page is evicted.
    pub(crate) fn drop_frame(&mut self, frame: FrameNo) {
        // Each release shortens the chain, which holds at most as many slots as there are.
        while let Some(&index) = self.of_frame.get(frame.index())
            && index != NONE
        {
            self.release(index);
        }
    }

    /// Drops the placeholders of an address space whose graft is gone.
    pub(crate) fn drop_vas(&mut self, vas: VasId) {
        let mut index = self.oldest;
        while let Some(&slot) = self.slots.get(index as usize) {
            if slot.vas == vas.0 {
                self.release(index);
            }
            index = slot.age_next;
        }
    }

    fn new_slot(&mut self) -> u32 {
        if self.live == self.frames {
            self.release(self.oldest);
        }
        let index = self.free;
        if let Some(slot) = self.slots.get(index as usize) {
            self.free = slot.age_next;
            return index;
        }
        let index = u32::try_from(self.slots.len()).expect("at most as many as frames");
        self.slots.push(Slot {
            vas: NONE,
            page: NONE,
            frame: NONE,
            frame_prev: NONE,
            frame_next: NONE,
            age_prev: NONE,
            age_next: NONE,
        });
        index
    }

    fn release(&mut self, index: u32) {
        let slot = self.slots[index as usize];
        self.of_page[slot.vas as usize][slot.page as usize] = NONE;
        match self.slots.get_mut(slot.frame_prev as usize) {
            Some(prev) => prev.frame_next = slot.frame_next,
            None => self.of_frame[slot.frame as usize] = slot.frame_next,
        }
        if let Some(next) = self.slots.get_mut(slot.frame_next as usize) {
            next.frame_prev = slot.frame_prev;
        }
        match self.slots.get_mut(slot.age_prev as usize) {
            Some(prev) => prev.age_next = slot.age_next,
            None => self.oldest = slot.age_next,
        }
        match self.slots.get_mut(slot.age_next as usize) {
            Some(next) => next.age_prev = slot.age_prev,
            None => self.newest = slot.age_prev,
        }
        self.slots[index as usize].age_next = self.free;
        self.free = index;
        self.live -= 1;
    }

    /// The live placeholders, oldest first: address space, absent page, frame.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (VasId, PageNo, FrameNo)> + '_ {
        let slot = |index: u32| self.slots.get(index as usize);
        let slots = std::iter::successors(slot(self.oldest), move |it| slot(it.age_next));
        slots.map(|slot| (VasId(slot.vas), PageNo(slot.page), FrameNo(slot.frame)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(frames: u32) -> Placeholders {
        let mut pool = Placeholders::new(frames, 2);
        pool.prepare(VasId(0), 10);
        pool.prepare(VasId(1), 10);
        pool
    }

    fn live(pool: &Placeholders) -> Vec<(u32, u32, u32)> {
        pool.iter().map(|(v, p, f)| (v.0, p.0, f.0)).collect()
    }

    #[test]
    fn a_placeholder_is_taken_once() {
        let mut pool = pool(3);
        pool.insert(VasId(0), PageNo(4), FrameNo(2));
        assert_eq!(pool.take(VasId(1), PageNo(4)), None);
        assert_eq!(pool.take(VasId(0), PageNo(4)), Some(FrameNo(2)));
        assert_eq!(pool.take(VasId(0), PageNo(4)), None);
        assert!(pool.is_empty());
    }

    #[test]
    fn evicting_the_kept_page_drops_all_that_point_at_it() {
        let mut pool = pool(4);
        pool.insert(VasId(0), PageNo(1), FrameNo(2));
        pool.insert(VasId(0), PageNo(2), FrameNo(3));
        pool.insert(VasId(0), PageNo(3), FrameNo(2));
        pool.drop_frame(FrameNo(2));
        assert_eq!(live(&pool), [(0, 2, 3)]);
    }

    #[test]
    fn the_oldest_makes_room_for_the_newest() {
        let mut pool = pool(2);
        for page in 0..5 {
            pool.insert(VasId(0), PageNo(page), FrameNo(page % 2));
        }
        assert_eq!(live(&pool), [(0, 3, 1), (0, 4, 0)]);
    }

    #[test]
    fn an_address_space_without_graft_loses_its_own_only() {
        let mut pool = pool(4);
        pool.insert(VasId(0), PageNo(1), FrameNo(0));
        pool.insert(VasId(1), PageNo(1), FrameNo(1));
        pool.insert(VasId(0), PageNo(2), FrameNo(1));
        pool.drop_vas(VasId(0));
        assert_eq!(live(&pool), [(1, 1, 1)]);
    }
}
