//! The view of grafts on global points: the few pages that they are asked about.
//!
//! A graft of the kernel's owner may decide about pages of every address space, but has no business
//! with all of their lists. So it reads copies of the entries in question, in the layout of a page
//! view, followed by a header for each address space that says whose they are.
use std::sync::atomic::Ordering;

use vino_abi as abi;
use vino_abi::page_view as layout;
use vino_sandbox::{ExecError, SharedRegion};

use crate::ids::{FrameNo, VasId};
use crate::vm::{CLUSTER_PAGES_MAX, Vm, frame_of, link_of};

const ENTRIES: u32 = 16;
const _: () = assert!(ENTRIES as usize == CLUSTER_PAGES_MAX);
/// Where the headers of the address spaces start.
const HEADERS_OFFSET: u32 = layout::HEADER_BYTES + ENTRIES * layout::ENTRY_BYTES;

/// A few entries and the frames they describe.
#[derive(Debug)]
pub(crate) struct BatchView {
    region: SharedRegion,
    frames: [FrameNo; CLUSTER_PAGES_MAX],
    len: usize,
}

impl BatchView {
    pub(crate) fn new(vases: usize) -> Result<BatchView, ExecError> {
        let headers = vases * layout::HEADER_BYTES as usize;
        let region = SharedRegion::new(HEADERS_OFFSET as usize + headers)?;
        let batch = BatchView {
            region,
            frames: [FrameNo(0); CLUSTER_PAGES_MAX],
            len: 0,
        };
        batch.put(layout::HEADER_SLOTS, ENTRIES);
        for vas in (0..).map(VasId).take(vases) {
            let header = batch.header_of(vas) - abi::VIEWS_OFFSET;
            batch.put(header + layout::HEADER_VAS, vas.0);
        }
        Ok(batch)
    }

    /// The memory to map into the graft's sandbox.
    pub(crate) fn region(&self) -> &SharedRegion {
        &self.region
    }

    /// Where the graft finds the header that stands for an address space.
    pub(crate) fn header_of(&self, vas: VasId) -> u32 {
        abi::VIEWS_OFFSET + HEADERS_OFFSET + vas.0 * layout::HEADER_BYTES
    }

    /// Where the graft finds the entry of the `index`th page.
    pub(crate) fn link(index: usize) -> u32 {
        let index = u32::try_from(index).expect("below CLUSTER_PAGES_MAX");
        link_of(FrameNo(index))
    }

    /// Which page of the batch has its entry at `link`.
    pub(crate) fn index_of(&self, link: u32) -> Option<usize> {
        let index = frame_of(link, ENTRIES)?.index();
        (index < self.len).then_some(index)
    }

    /// The frames that the graft is asked about.
    pub(crate) fn frames(&self) -> &[FrameNo] {
        &self.frames[..self.len]
    }

    /// Shows the graft the entries of these frames, in this order, as a list.
    pub(crate) fn show(&mut self, vm: &Vm, frames: &[FrameNo]) {
        self.len = frames.len();
        self.frames[..frames.len()].copy_from_slice(frames);
        for (index, &frame) in frames.iter().enumerate() {
            let Some(owner) = vm.owner(frame) else {
                continue;
            };
            let view = vm.vas(owner).view();
            let entry = Self::link(index) - abi::VIEWS_OFFSET;
            let next = if index + 1 < frames.len() {
                Self::link(index + 1)
            } else {
                0
            };
            self.put(entry + layout::ENTRY_NEXT, next);
            self.put(
                entry + layout::ENTRY_PREV,
                index.checked_sub(1).map_or(0, Self::link),
            );
            let vpn = view.vpn(frame);
            let low = u32::try_from(vpn & u64::from(u32::MAX)).expect("masked");
            self.put(entry + layout::ENTRY_VPN, low);
            let high = u32::try_from(vpn >> 32).expect("shifted");
            self.put(entry + layout::ENTRY_VPN + 4, high);
            self.put(entry + layout::ENTRY_FRAME, frame.0);
            self.put(entry + layout::ENTRY_GENERATION, view.generation(frame));
            self.put(entry + layout::ENTRY_STATE, view.state_word(frame));
        }
        let first = if frames.is_empty() { 0 } else { Self::link(0) };
        let last = frames.len().checked_sub(1).map_or(0, Self::link);
        self.put(layout::HEADER_FIRST, first);
        self.put(layout::HEADER_LAST, last);
        let count = u32::try_from(frames.len()).expect("at most CLUSTER_PAGES_MAX");
        self.put(layout::HEADER_COUNT, count);
    }

    fn put(&self, offset: u32, value: u32) {
        self.region.words()[offset as usize / 4].store(value, Ordering::Relaxed);
    }
}
