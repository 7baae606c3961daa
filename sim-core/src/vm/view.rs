//! The page view of one address space: the kernel's own page entries, which grafts may read.
//!
//! A view is an array of entries, one for each frame, behind a header with the list of evictable
//! pages; `vino_abi::page_view` gives the layout. It lives in memory that is mapped read-only into
//! the sandbox of the address space's grafts, so an invocation copies nothing. The entry of a frame
//! that holds somebody else's page looks like that of a free frame.
//!
//! ```text
//!  header -> inactive, oldest first ... -> active, oldest first ...
//!                        inactive_last ^
//! ```
//!
//! The header is the list's sentinel: its words for the first and last entry stand where an entry
//! has its links, so insertion and removal have no special cases.
use std::sync::atomic::{AtomicU32, Ordering};

use vino_abi as abi;
use vino_abi::page_view as layout;
use vino_sandbox::{ExecError, SharedRegion};

use super::restoration::Watch;
use crate::ids::{FrameNo, VasId};

/// Words of the header that the kernel keeps for itself, for [`Watch::changed`].
const INACTIVE_LAST_WORD: u32 = u32::MAX;

const NEXT_WORD: usize = (layout::ENTRY_NEXT / 4) as usize;
const PREV_WORD: usize = (layout::ENTRY_PREV / 4) as usize;
const VPN_WORD: usize = (layout::ENTRY_VPN / 4) as usize;
const FRAME_WORD: usize = (layout::ENTRY_FRAME / 4) as usize;
const GENERATION_WORD: usize = (layout::ENTRY_GENERATION / 4) as usize;
const STATE_WORD: usize = (layout::ENTRY_STATE / 4) as usize;
const COUNT_WORD: usize = (layout::HEADER_COUNT / 4) as usize;
const INACTIVE_COUNT_WORD: usize = (layout::HEADER_INACTIVE_COUNT / 4) as usize;
const VAS_WORD: usize = (layout::HEADER_VAS / 4) as usize;
const SLOTS_WORD: usize = (layout::HEADER_SLOTS / 4) as usize;

const _: () = assert!(
    layout::HEADER_FIRST == layout::ENTRY_NEXT && layout::HEADER_LAST == layout::ENTRY_PREV,
    "the header is the sentinel of its list"
);

/// Bytes of a view of `frames` frames.
pub(crate) fn view_bytes(frames: u32) -> usize {
    (layout::HEADER_BYTES as usize) + (frames as usize) * (layout::ENTRY_BYTES as usize)
}

/// The link to the entry of `frame`: its offset in a sandbox.
pub(crate) fn link_of(frame: FrameNo) -> u32 {
    abi::VIEWS_OFFSET + layout::HEADER_BYTES + frame.0 * layout::ENTRY_BYTES
}

/// The frame whose entry is at `link`, if there is one in a view of `frames` frames.
pub(crate) fn frame_of(link: u32, frames: u32) -> Option<FrameNo> {
    let offset = link.checked_sub(abi::VIEWS_OFFSET + layout::HEADER_BYTES)?;
    let frame = offset / layout::ENTRY_BYTES;
    (offset % layout::ENTRY_BYTES == 0 && frame < frames).then_some(FrameNo(frame))
}

/// Where an entry was in the list, so that it can be put back exactly there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    prev: u32,
    next: u32,
    inactive_last: u32,
}

/// The entries of one address space's pages and the list of the evictable ones.
#[derive(Debug)]
pub(crate) struct PageView {
    region: SharedRegion,
    vas: VasId,
    frames: u32,
    inactive_last: u32,
}

/// The word index of the list node that `link` names; link 0 names the header.
#[inline]
fn node(link: u32) -> usize {
    match link {
        0 => 0,
        _ => ((link - abi::VIEWS_OFFSET) / 4) as usize,
    }
}

/// The word index of the entry of `frame`.
#[inline]
fn entry(frame: FrameNo) -> usize {
    ((layout::HEADER_BYTES + frame.0 * layout::ENTRY_BYTES) / 4) as usize
}

impl PageView {
    pub(crate) fn new(vas: VasId, frames: u32) -> Result<PageView, ExecError> {
        let region = SharedRegion::new(view_bytes(frames))?;
        let view = PageView {
            region,
            vas,
            frames,
            inactive_last: 0,
        };
        view.put(VAS_WORD, vas.0);
        view.put(SLOTS_WORD, frames);
        Ok(view)
    }

    /// The memory to map into a sandbox.
    pub(crate) fn region(&self) -> &SharedRegion {
        &self.region
    }

    #[inline]
    fn words(&self) -> &[AtomicU32] {
        self.region.words()
    }

    #[inline]
    fn get(&self, word: usize) -> u32 {
        self.words()[word].load(Ordering::Relaxed)
    }

    #[inline]
    fn put(&self, word: usize, value: u32) {
        self.words()[word].store(value, Ordering::Relaxed);
    }

    /// Stores a word and tells `watch` about the change.
    #[inline]
    fn change<W: Watch>(&self, word: usize, value: u32, watch: &mut W) {
        if W::WATCHES {
            let index = u32::try_from(word).expect("a view has fewer words than a sandbox bytes");
            watch.changed(self.vas, index, self.get(word), value);
        }
        self.put(word, value);
    }

    #[inline]
    fn set_inactive_last<W: Watch>(&mut self, link: u32, watch: &mut W) {
        if W::WATCHES {
            watch.changed(self.vas, INACTIVE_LAST_WORD, self.inactive_last, link);
        }
        self.inactive_last = link;
    }

    /// The state word of a frame's entry: page state and flags.
    #[inline]
    pub(crate) fn state_word(&self, frame: FrameNo) -> u32 {
        self.get(entry(frame) + STATE_WORD)
    }

    /// The page state of a frame's entry; free if the frame is not this address space's.
    #[inline]
    pub(crate) fn state(&self, frame: FrameNo) -> u32 {
        self.state_word(frame) & layout::STATE_MASK
    }

    #[inline]
    pub(crate) fn is_referenced(&self, frame: FrameNo) -> bool {
        self.state_word(frame) & layout::STATE_REFERENCED != 0
    }

    #[inline]
    pub(crate) fn is_modified(&self, frame: FrameNo) -> bool {
        self.state_word(frame) & layout::STATE_MODIFIED != 0
    }

    /// The virtual page number of a frame's entry.
    pub(crate) fn vpn(&self, frame: FrameNo) -> u64 {
        let word = entry(frame) + VPN_WORD;
        u64::from(self.get(word)) | u64::from(self.get(word + 1)) << 32
    }

    pub(crate) fn generation(&self, frame: FrameNo) -> u32 {
        self.get(entry(frame) + GENERATION_WORD)
    }

    /// Sets flags of a frame's entry.
    #[inline]
    pub(crate) fn set_flags(&self, frame: FrameNo, flags: u32) {
        let word = entry(frame) + STATE_WORD;
        self.put(word, self.get(word) | flags);
    }

    /// Clears flags of a frame's entry.
    #[inline]
    pub(crate) fn clear_flags(&self, frame: FrameNo, flags: u32) {
        let word = entry(frame) + STATE_WORD;
        self.put(word, self.get(word) & !flags);
    }

    /// Fills the entry of a frame that now holds the page `vpn`, as the newest active page.
    #[inline]
    pub(crate) fn install<W: Watch>(
        &mut self,
        frame: FrameNo,
        vpn: u64,
        flags: u32,
        watch: &mut W,
    ) {
        let word = entry(frame);
        let low = vpn & u64::from(u32::MAX);
        self.put(
            word + VPN_WORD,
            u32::try_from(low).expect("masked to 32 bits"),
        );
        self.put(
            word + VPN_WORD + 1,
            u32::try_from(vpn >> 32).expect("32 bits"),
        );
        self.put(word + FRAME_WORD, frame.0);
        let generation = self.get(word + GENERATION_WORD);
        self.put(word + GENERATION_WORD, generation.wrapping_add(1));
        self.put(word + STATE_WORD, abi::PAGE_ACTIVE | flags);
        self.push_last(frame, watch);
    }

    /// Empties the entry of a frame whose page is evicted.
    #[inline]
    pub(crate) fn remove<W: Watch>(&mut self, frame: FrameNo, watch: &mut W) {
        self.unlink(frame, watch);
        self.put(entry(frame) + STATE_WORD, abi::PAGE_FREE);
    }

    /// Moves a listed page to the end of the list as the newest active page.
    #[inline]
    pub(crate) fn reactivate<W: Watch>(&mut self, frame: FrameNo, watch: &mut W) {
        self.unlink(frame, watch);
        self.write_state(frame, abi::PAGE_ACTIVE, watch);
        self.push_last(frame, watch);
    }

    /// Moves a listed page behind the other inactive pages.
    pub(crate) fn deactivate<W: Watch>(&mut self, frame: FrameNo, watch: &mut W) {
        self.unlink(frame, watch);
        self.write_state(frame, abi::PAGE_INACTIVE, watch);
        self.push_inactive(frame, watch);
    }

    /// Changes the state of a page as a graft asks.
    ///
    /// Activating a page counts as a reference and deactivating one forgets it, so that the clock
    /// treats the page as its state says.
    pub(crate) fn set_state<W: Watch>(&mut self, frame: FrameNo, state: u32, watch: &mut W) {
        if self.is_listed(frame) {
            self.unlink(frame, watch);
        }
        let word = entry(frame) + STATE_WORD;
        let kept = self.get(word) & !(layout::STATE_MASK | layout::STATE_REFERENCED);
        match state {
            abi::PAGE_ACTIVE => {
                let flags = kept | layout::STATE_REFERENCED;
                self.change(word, flags | abi::PAGE_ACTIVE, watch);
                self.push_last(frame, watch);
            }
            abi::PAGE_INACTIVE => {
                self.change(word, kept | abi::PAGE_INACTIVE, watch);
                self.push_inactive(frame, watch);
            }
            _ => self.change(word, kept | abi::PAGE_WIRED, watch),
        }
    }

    /// Whether the page in a frame is in the list: it is neither wired nor on its way out.
    #[inline]
    pub(crate) fn is_listed(&self, frame: FrameNo) -> bool {
        matches!(self.state(frame), abi::PAGE_ACTIVE | abi::PAGE_INACTIVE)
    }

    /// Where a listed page is; other pages are nowhere.
    pub(crate) fn place(&self, frame: FrameNo) -> Place {
        let word = entry(frame);
        Place {
            prev: self.get(word + PREV_WORD),
            next: self.get(word + NEXT_WORD),
            inactive_last: self.inactive_last,
        }
    }

    /// Undoes a change of state and place, if nothing that came after it is still in effect.
    pub(crate) fn restore<W: Watch>(
        &mut self,
        frame: FrameNo,
        state_word: u32,
        place: Place,
        watch: &mut W,
    ) {
        if self.is_listed(frame) {
            self.unlink(frame, watch);
        }
        self.change(entry(frame) + STATE_WORD, state_word, watch);
        if self.is_listed(frame) {
            self.link_between(frame, place.prev, place.next, watch);
        }
        self.set_inactive_last(place.inactive_last, watch);
    }

    /// Moves a listed page before another one, whose state it takes.
    pub(crate) fn stand_before<W: Watch>(&mut self, frame: FrameNo, other: FrameNo, watch: &mut W) {
        self.unlink(frame, watch);
        self.write_state(frame, self.state(other), watch);
        let Place { prev, .. } = self.place(other);
        self.link_between(frame, prev, link_of(other), watch);
    }

    /// Takes a page out of the list while it keeps its frame; its flags stay.
    pub(crate) fn delist<W: Watch>(&mut self, frame: FrameNo, watch: &mut W) {
        self.unlink(frame, watch);
        self.write_state(frame, abi::PAGE_FREE, watch);
    }

    /// Empties the entry of a frame whose page was taken out of the list before.
    pub(crate) fn clear(&self, frame: FrameNo) {
        self.put(entry(frame) + STATE_WORD, abi::PAGE_FREE);
    }

    fn write_state<W: Watch>(&mut self, frame: FrameNo, state: u32, watch: &mut W) {
        let word = entry(frame) + STATE_WORD;
        let flags = self.get(word) & !layout::STATE_MASK;
        self.change(word, flags | state, watch);
    }

    #[inline]
    fn unlink<W: Watch>(&mut self, frame: FrameNo, watch: &mut W) {
        let word = entry(frame);
        let (prev, next) = (self.get(word + PREV_WORD), self.get(word + NEXT_WORD));
        self.change(node(prev) + NEXT_WORD, next, watch);
        self.change(node(next) + PREV_WORD, prev, watch);
        self.change(word + NEXT_WORD, 0, watch);
        self.change(word + PREV_WORD, 0, watch);
        self.change(COUNT_WORD, self.get(COUNT_WORD) - 1, watch);
        if self.state(frame) == abi::PAGE_INACTIVE {
            let count = self.get(INACTIVE_COUNT_WORD) - 1;
            self.change(INACTIVE_COUNT_WORD, count, watch);
            if self.inactive_last == link_of(frame) {
                self.set_inactive_last(prev, watch);
            }
        }
    }

    #[inline]
    fn push_last<W: Watch>(&mut self, frame: FrameNo, watch: &mut W) {
        let last = self.get(PREV_WORD);
        self.link_between(frame, last, 0, watch);
    }

    fn push_inactive<W: Watch>(&mut self, frame: FrameNo, watch: &mut W) {
        let prev = self.inactive_last;
        let next = self.get(node(prev) + NEXT_WORD);
        self.link_between(frame, prev, next, watch);
        self.set_inactive_last(link_of(frame), watch);
    }

    /// Puts an entry, whose state is set, between two neighbours.
    #[inline]
    fn link_between<W: Watch>(&mut self, frame: FrameNo, prev: u32, next: u32, watch: &mut W) {
        let word = entry(frame);
        let link = link_of(frame);
        self.change(word + PREV_WORD, prev, watch);
        self.change(word + NEXT_WORD, next, watch);
        self.change(node(prev) + NEXT_WORD, link, watch);
        self.change(node(next) + PREV_WORD, link, watch);
        self.change(COUNT_WORD, self.get(COUNT_WORD) + 1, watch);
        if self.state(frame) == abi::PAGE_INACTIVE {
            let count = self.get(INACTIVE_COUNT_WORD) + 1;
            self.change(INACTIVE_COUNT_WORD, count, watch);
        }
    }

    /// The frames of the listed pages in order; stops after `frames` of them.
    pub(crate) fn list(&self) -> impl Iterator<Item = FrameNo> + '_ {
        let first = self.get(NEXT_WORD);
        let next = |link: &u32| Some(self.get(node(*link) + NEXT_WORD)).filter(|&it| it != 0);
        let links = std::iter::successors(Some(first).filter(|&it| it != 0), next);
        let links = links.take(self.frames as usize);
        links.filter_map(|link| frame_of(link, self.frames))
    }

    /// Feeds everything that a digest of the kernel's state covers.
    pub(crate) fn hash_into(&self, hasher: &mut blake3::Hasher) {
        let mut bytes = Vec::with_capacity(4 * self.words().len());
        for word in self.words() {
            bytes.extend_from_slice(&word.load(Ordering::Relaxed).to_le_bytes());
        }
        hasher.update(&bytes);
        hasher.update(&self.inactive_last.to_le_bytes());
    }

    /// Says how the list contradicts its entries, if it does.
    pub(crate) fn find_contradiction(&self) -> Option<&'static str> {
        let listed: Vec<FrameNo> = self.list().collect();
        let states: Vec<u32> = listed.iter().map(|&frame| self.state(frame)).collect();
        let inactive = states.iter().take_while(|&&it| it == abi::PAGE_INACTIVE);
        let inactive = inactive.count();
        if states[inactive..].iter().any(|&it| it != abi::PAGE_ACTIVE) {
            return Some("the list is not inactive pages, then active pages");
        }
        let counts = (self.get(COUNT_WORD), self.get(INACTIVE_COUNT_WORD));
        if (counts.0 as usize, counts.1 as usize) != (listed.len(), inactive) {
            return Some("the counts in the header are not those of the list");
        }
        let inactive_last = inactive.checked_sub(1).map_or(0, |at| link_of(listed[at]));
        if self.inactive_last != inactive_last {
            return Some("the last inactive page is not where the kernel thinks");
        }
        let mut prev = 0;
        for &frame in &listed {
            if self.get(entry(frame) + PREV_WORD) != prev {
                return Some("a link back does not lead back");
            }
            prev = link_of(frame);
        }
        (self.get(PREV_WORD) != prev).then_some("the last link is not the last page")
    }
}
