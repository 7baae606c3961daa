//! What is mapped in one sandbox, and every access of the host to it.
//!
//! Three ranges are mapped: what the graft may execute or only read, from the info page to the end
//! of constants; what it may write, from the bottom of the stack to the end of the heap; and views.
//! Inaccessible pages are between them. The host never touches sandbox memory through an address
//! that a graft made up: a claim is looked up among the three first, so the host does not fault.

use std::ops::Range;
use std::ptr;
use std::slice;

use vino_abi::{
    BASE_SLOT, DATA_OFFSET, GATES_OFFSET, HEAP_END, PAGE_BYTES, STACK_END, STACK_LIMIT, VIEWS_END,
    VIEWS_OFFSET,
};

use super::address::{BadSlice, SandboxAddr};
use super::arena::Slot;
use super::config::Checked;
use super::error::ExecError;
use super::shared::SharedRegion;
use super::sys::{self, Protection};
use super::verified::{VerifiedImage, file_offset};
use crate::image::AddressWord;

/// Initial data of at most this many bytes is copied; more is mapped and copied by the system, page
/// by page as it is written, which costs a mapping.
const COPIED_DATA_BYTES_MAX: usize = 64 * 1024;

const PAGE: u32 = 4096;
const _: () = assert!(PAGE as u64 == PAGE_BYTES);

/// One sandbox's address space and what is mapped in it.
#[derive(Debug)]
pub(super) struct Memory {
    /// What can be written, up to the end of the heap; read on nearly every access of the host.
    writable: Range<u32>,
    /// What can only be read.
    constant: Range<u32>,
    views: Range<u32>,
    heap_start: u32,
    heap_end_at_start: u32,
    heap_limit: u32,
    slot: Slot,
    image: VerifiedImage,
}

impl Memory {
    /// Maps an image, a stack, the argument page and a heap in an empty slot.
    pub(super) fn new(
        slot: Slot,
        image: VerifiedImage,
        checked: &Checked,
    ) -> Result<Self, ExecError> {
        let heap_start = image.data().end;
        let heap_end = heap_start + checked.heap_bytes;
        let heap_limit = heap_start + checked.heap_bytes_max;
        let stack_start = STACK_END - checked.stack_bytes;
        assert!(
            image.constants().end <= STACK_LIMIT
                && STACK_LIMIT < stack_start
                && heap_limit <= HEAP_END,
            "parts of a sandbox keep to their ranges"
        );
        let mut memory = Self {
            writable: stack_start..heap_end,
            constant: BASE_SLOT..image.constants().end,
            views: VIEWS_OFFSET..VIEWS_OFFSET,
            heap_start,
            heap_end_at_start: heap_end,
            heap_limit,
            slot,
            image,
        };
        memory.map_code()?;
        memory.map_constants()?;
        memory.map_writable()?;
        Ok(memory)
    }

    /// Returns the address of the sandbox's first byte.
    pub(super) fn base(&self) -> u64 {
        self.slot.base() as u64
    }

    pub(super) fn image(&self) -> &VerifiedImage {
        &self.image
    }

    fn pointer(&self, offset: u32) -> *mut u8 {
        ptr::with_exposed_provenance_mut(self.slot.base() + offset as usize)
    }

    /// Maps the info page, the gates and text.
    ///
    /// The text is that which the verifier accepted: the image's file is sealed.
    fn map_code(&mut self) -> Result<(), ExecError> {
        let code = self.image.code();
        let info = BASE_SLOT..GATES_OFFSET;
        self.map_from_image("info page", &info, Protection::ReadWrite)?;
        let base = self.base();
        // SAFETY: the page was just mapped writable, is aligned, and nothing else refers to it.
        unsafe { self.pointer(BASE_SLOT).cast::<u64>().write(base) };
        let gates_and_text = GATES_OFFSET..code.end;
        self.map_from_image("text", &gates_and_text, Protection::ReadExecute)?;
        self.protect("info page", &info, Protection::ReadExecute)
    }

    /// Maps read-only data, completed by this sandbox's addresses.
    fn map_constants(&mut self) -> Result<(), ExecError> {
        let (area, range) = ("read-only data", self.image.constants());
        if range.is_empty() {
            return Ok(());
        }
        if self.image.constant_words().is_empty() {
            return self.map_from_image(area, &range, Protection::Read);
        }
        self.map_from_image(area, &range, Protection::ReadWrite)?;
        let base = self.base();
        // SAFETY: the range was just mapped writable, and `&mut self` is exclusive.
        let bytes = unsafe { slice::from_raw_parts_mut(self.pointer(range.start), len(&range)) };
        AddressWord::complete(self.image.constant_words(), base, bytes);
        self.protect(area, &range, Protection::Read)
    }

    /// Maps everything from the bottom of the stack to the end of the heap.
    fn map_writable(&mut self) -> Result<(), ExecError> {
        let range = self.writable.clone();
        self.protect("stack, data and heap", &range, Protection::ReadWrite)?;
        let initial = self.image.initial_data().len();
        if initial > COPIED_DATA_BYTES_MAX {
            // SAFETY: the range is this sandbox's, which nothing refers to yet.
            let mapped = unsafe {
                sys::map_file_privately_at(
                    self.pointer(DATA_OFFSET).addr(),
                    initial,
                    self.image.file(),
                    self.image.initial_data_offset(),
                    Protection::ReadWrite,
                )
            };
            mapped.map_err(|source| ExecError::map("data", initial as u64, source))?;
        }
        self.fill_data();
        Ok(())
    }

    /// Writes into pages of data, which are as they were mapped, what an instance starts with.
    fn fill_data(&mut self) {
        let base = self.base();
        let (start, data) = (self.pointer(DATA_OFFSET), self.image.data());
        // SAFETY: data is mapped writable, and `&mut self` excludes other references and a graft.
        let data = unsafe { slice::from_raw_parts_mut(start, len(&data)) };
        let initial = self.image.initial_data();
        if initial.len() <= COPIED_DATA_BYTES_MAX {
            data[..initial.len()].copy_from_slice(initial);
        }
        AddressWord::complete(self.image.data_words(), base, data);
    }

    /// Makes what the graft can write what it was at the start.
    pub(super) fn reset(&mut self) -> Result<(), ExecError> {
        let (start, bytes) = (self.pointer(self.writable.start), len(&self.writable));
        let grown = self.heap_end_at_start..self.writable.end;
        // SAFETY: the range is this sandbox's, and `&mut self` excludes references into it.
        unsafe { sys::discard(start.addr(), bytes) }
            .map_err(|source| ExecError::map("stack, data and heap", bytes as u64, source))?;
        if !grown.is_empty() {
            // Shrunk first: if the system refuses, the host believes in less than there is.
            self.writable.end = grown.start;
            // SAFETY: the range is this sandbox's, and `&mut self` excludes references into it.
            unsafe { sys::forbid(self.pointer(grown.start).addr(), len(&grown)) }
                .map_err(|source| ExecError::map("heap", len(&grown) as u64, source))?;
        }
        self.fill_data();
        Ok(())
    }

    /// Adds to the end of the heap, whole pages; `None` if that exceeds its limit.
    pub(super) fn grow_heap(&mut self, bytes: u32) -> Option<SandboxAddr> {
        let start = self.writable.end;
        let end = start.checked_add(bytes.checked_next_multiple_of(PAGE)?)?;
        if end > self.heap_limit {
            return None;
        }
        let more = start..end;
        if !more.is_empty() {
            self.protect("heap", &more, Protection::ReadWrite).ok()?;
            self.writable.end = end;
        }
        Some(SandboxAddr::of_pointer(start.into()))
    }

    /// Returns where the heap starts and ends.
    pub(super) fn heap(&self) -> Range<u32> {
        self.heap_start..self.writable.end
    }

    /// Maps a range of code or constants from the image's file.
    fn map_from_image(
        &mut self,
        area: &'static str,
        range: &Range<u32>,
        protection: Protection,
    ) -> Result<(), ExecError> {
        // SAFETY: the range is in this sandbox, `&mut self` excludes references into it.
        let mapped = unsafe {
            sys::map_file_privately_at(
                self.pointer(range.start).addr(),
                len(range),
                self.image.file(),
                file_offset(range.start),
                protection,
            )
        };
        mapped.map_err(|source| ExecError::map(area, len(range) as u64, source))
    }

    fn protect(
        &mut self,
        area: &'static str,
        range: &Range<u32>,
        protection: Protection,
    ) -> Result<(), ExecError> {
        // SAFETY: the range is in this sandbox, and `&mut self` excludes references into it.
        unsafe { sys::protect(self.pointer(range.start).addr(), len(range), protection) }
            .map_err(|source| ExecError::map(area, len(range) as u64, source))
    }

    /// Maps a shared region, read-only, after those before it; returns where.
    ///
    /// # Panics
    ///
    /// There is no room left for it.
    pub(super) fn map_view(&mut self, region: &SharedRegion) -> Result<u32, ExecError> {
        let (offset, bytes) = (self.views.end, region.mapped_bytes());
        assert!(bytes <= VIEWS_END - offset, "views keep to their range");
        let start = self.pointer(offset).addr();
        // SAFETY: the range is in this sandbox, and nothing was mapped there.
        unsafe { sys::map_file_read_only_at(start, region.file(), bytes as usize) }
            .map_err(|source| ExecError::map("view", bytes.into(), source))?;
        self.views.end = offset + bytes;
        Ok(offset)
    }

    /// Returns how many bytes are mapped that are this sandbox's own.
    pub(super) fn private_bytes(&self) -> u64 {
        let info = u64::from(GATES_OFFSET - BASE_SLOT);
        let constants = match self.image.constant_words() {
            [] => 0,
            _ => len(&self.image.constants()),
        };
        info + (constants + len(&self.writable)) as u64
    }

    /// Returns whether all of a range is mapped, and writable if asked.
    #[inline]
    fn allows(&self, addr: SandboxAddr, bytes: u32, write: bool) -> bool {
        let start = addr.offset();
        let Some(end) = start.checked_add(bytes) else {
            return false;
        };
        let inside = |range: &Range<u32>| start >= range.start && end <= range.end;
        // No two of the ranges touch.
        inside(&self.writable) || (!write && (inside(&self.constant) || inside(&self.views)))
    }

    /// Returns whether all of a range is mapped.
    pub(super) fn covers(&self, addr: SandboxAddr, len: u32) -> bool {
        self.allows(addr, len, false)
    }

    /// Copies memory of the sandbox out.
    #[inline]
    pub(super) fn read(&self, addr: SandboxAddr, into: &mut [u8]) -> Result<(), BadSlice> {
        let source = self.check(addr, into.len(), false)?;
        // SAFETY: `check` found all of the source mapped, and areas are never unmapped before
        // `self`; `into` is ours and outside every sandbox. No graft of this sandbox runs now; a
        // view may change under the copy, as memory that a device writes may.
        unsafe { ptr::copy_nonoverlapping(source, into.as_mut_ptr(), into.len()) };
        Ok(())
    }

    /// Copies into memory of the sandbox.
    #[inline]
    pub(super) fn write(&mut self, addr: SandboxAddr, from: &[u8]) -> Result<(), BadSlice> {
        let target = self.check(addr, from.len(), true)?;
        // SAFETY: `check` found all of the target mapped and writable; `from` is ours and outside
        // every sandbox; `&mut self` excludes references into the area.
        unsafe { ptr::copy_nonoverlapping(from.as_ptr(), target, from.len()) };
        Ok(())
    }

    #[inline]
    fn check(&self, addr: SandboxAddr, bytes: usize, write: bool) -> Result<*mut u8, BadSlice> {
        let short = u32::try_from(bytes).map_err(|_| BadSlice {
            addr,
            len: u32::MAX,
        })?;
        if self.allows(addr, short, write) {
            return Ok(self.pointer(addr.offset()));
        }
        Err(BadSlice { addr, len: short })
    }
}

fn len(range: &Range<u32>) -> usize {
    (range.end - range.start) as usize
}
