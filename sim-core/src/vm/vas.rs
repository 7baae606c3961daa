//! An address space: its page table, its page view, its copies in swap space.
use std::sync::Arc;

use vino_abi as abi;
use vino_sandbox::ExecError;

use super::coremap::Coremap;
use super::restoration::{Unwatched, Watch};
use super::view::{PageView, Place};
use crate::ids::{FrameNo, PageNo, VasId};
use crate::workload::Trace;

/// Page table value of a page that was never in memory.
const UNTOUCHED: u32 = u32::MAX;
/// Page table value of a page that lost its frame; smaller values are frames.
const EVICTED: u32 = u32::MAX - 1;
/// The number of the word that counts wired pages, for [`Watch::changed`].
const WIRED_WORD: u32 = u32::MAX - 1;

/// Where a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Residency {
    /// In a frame.
    Resident(FrameNo),
    /// It was in memory before.
    Evicted,
    /// It was never referenced.
    Untouched,
}

/// One address space.
#[derive(Debug)]
pub(crate) struct Vas {
    id: VasId,
    view: PageView,
    page_table: Vec<u32>,
    trace: Option<Arc<Trace>>,
    /// Position in swap space plus one, 0 if there is no copy; empty until there is a copy.
    copies: Vec<u64>,
    wired: u32,
}

impl Vas {
    pub(super) fn new(id: VasId, frames: u32) -> Result<Vas, ExecError> {
        Ok(Vas {
            id,
            view: PageView::new(id, frames)?,
            page_table: Vec::new(),
            trace: None,
            copies: Vec::new(),
            wired: 0,
        })
    }

    /// Gives the address space the pages that `trace` names.
    pub(crate) fn map(&mut self, trace: Arc<Trace>) {
        self.page_table = vec![UNTOUCHED; trace.pages() as usize];
        self.trace = Some(trace);
    }

    pub(crate) fn view(&self) -> &PageView {
        &self.view
    }

    #[inline]
    pub(super) fn view_mut(&mut self) -> &mut PageView {
        &mut self.view
    }

    /// How many pages the address space has.
    pub(super) fn pages(&self) -> u32 {
        u32::try_from(self.page_table.len()).expect("a trace has at most 2^28 pages")
    }

    /// The page with the number that the trace uses.
    pub(crate) fn page_of_vpn(&self, vpn: u64) -> Option<PageNo> {
        self.trace.as_ref()?.page_of_id(vpn)
    }

    #[inline]
    pub(crate) fn residency(&self, page: PageNo) -> Residency {
        match self.page_table[page.index()] {
            UNTOUCHED => Residency::Untouched,
            EVICTED => Residency::Evicted,
            frame => Residency::Resident(FrameNo(frame)),
        }
    }

    /// The frame of a page that is in memory.
    #[inline]
    pub(crate) fn frame_of(&self, page: PageNo) -> Option<FrameNo> {
        match self.residency(page) {
            Residency::Resident(frame) => Some(frame),
            Residency::Evicted | Residency::Untouched => None,
        }
    }

    #[inline]
    pub(super) fn install(&mut self, page: PageNo, frame: FrameNo, flags: u32) {
        let trace = self.trace.as_ref().expect("the page is of its trace");
        let vpn = trace.page_ids()[page.index()];
        self.page_table[page.index()] = frame.0;
        self.view.install(frame, vpn, flags, &mut Unwatched);
    }

    #[inline]
    pub(super) fn remove(&mut self, page: PageNo, frame: FrameNo) {
        self.page_table[page.index()] = EVICTED;
        self.view.remove(frame, &mut Unwatched);
    }

    /// Removes the page in `leaver`, whose place in the list goes to the page in `keeper`.
    ///
    /// A keeper that its owner wired meanwhile has no place in the list and takes none.
    pub(super) fn remove_in_favour(&mut self, page: PageNo, leaver: FrameNo, keeper: FrameNo) {
        if self.view.is_listed(keeper) {
            self.view.stand_before(keeper, leaver, &mut Unwatched);
        }
        self.remove(page, leaver);
    }

    /// Removes a page that was taken out of the list before.
    pub(super) fn remove_departed(&mut self, page: PageNo, frame: FrameNo) {
        self.page_table[page.index()] = EVICTED;
        self.view.clear(frame);
    }

    /// How many pages are wired.
    pub(super) fn wired(&self) -> u32 {
        self.wired
    }

    pub(super) fn set_page_state(&mut self, frame: FrameNo, state: u32, watch: &mut impl Watch) {
        let was_wired = self.view.state(frame) == abi::PAGE_WIRED;
        let wire = state == abi::PAGE_WIRED;
        self.set_wired(self.wired + u32::from(wire) - u32::from(was_wired), watch);
        self.view.set_state(frame, state, watch);
    }

    pub(super) fn restore_page_state(
        &mut self,
        frame: FrameNo,
        state_word: u32,
        place: Place,
        watch: &mut impl Watch,
    ) {
        let is_wired = self.view.state(frame) == abi::PAGE_WIRED;
        let was_wired = state_word & abi::page_view::STATE_MASK == abi::PAGE_WIRED;
        let wired = self.wired + u32::from(was_wired) - u32::from(is_wired);
        self.set_wired(wired, watch);
        self.view.restore(frame, state_word, place, watch);
    }

    fn set_wired<W: Watch>(&mut self, wired: u32, watch: &mut W) {
        if W::WATCHES {
            watch.changed(self.id, WIRED_WORD, self.wired, wired);
        }
        self.wired = wired;
    }

    /// Whether swap space holds a copy of a page, fresh or not.
    pub(super) fn has_copy(&self, page: PageNo) -> bool {
        self.copies.get(page.index()).is_some_and(|&copy| copy != 0)
    }

    /// Notes where a page was written; true if it had no copy before.
    pub(super) fn set_copy(&mut self, page: PageNo, position: u64) -> bool {
        if self.copies.is_empty() {
            self.copies = vec![0; self.page_table.len()];
        }
        std::mem::replace(&mut self.copies[page.index()], position + 1) == 0
    }

    pub(super) fn n_copies(&self) -> u64 {
        self.copies.iter().filter(|&&copy| copy != 0).count() as u64
    }

    pub(super) fn hash_into(&self, hasher: &mut blake3::Hasher) {
        let table: Vec<u8> = self
            .page_table
            .iter()
            .flat_map(|it| it.to_le_bytes())
            .collect();
        hasher.update(&table);
        self.view.hash_into(hasher);
        for copy in &self.copies {
            hasher.update(&copy.to_le_bytes());
        }
        hasher.update(&self.wired.to_le_bytes());
    }

    /// Says how the address space contradicts itself or the coremap, if it does.
    pub(super) fn find_contradiction(&self, coremap: &Coremap) -> Option<&'static str> {
        if let Some(problem) = self.view.find_contradiction() {
            return Some(problem);
        }
        let (mut resident, mut wired) = (0, 0);
        for page in (0..self.pages()).map(PageNo) {
            let Some(frame) = self.frame_of(page) else {
                continue;
            };
            resident += 1;
            if coremap.owner(frame) != Some(self.id) || coremap.page(frame) != page {
                return Some("a page table entry names a frame that holds another page");
            }
            let trace = self.trace.as_ref()?;
            if trace.page_id(page) != Some(self.view.vpn(frame)) {
                return Some("an entry has another page number than its page");
            }
            match self.view.state(frame) {
                abi::PAGE_WIRED => wired += 1,
                abi::PAGE_ACTIVE | abi::PAGE_INACTIVE => {}
                _ => return Some("a resident page has no state"),
            }
        }
        if wired != self.wired {
            return Some("the count of wired pages is wrong");
        }
        let listed = self.view.list().count();
        (listed + wired as usize != resident).then_some("a page is neither wired nor listed")
    }
}
