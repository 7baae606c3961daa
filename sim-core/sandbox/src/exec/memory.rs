//! What is mapped in one sandbox, and every access of the host to it.
//!
//! The host never touches sandbox memory through an address that a graft made up: a claim is looked
//! up among the mapped areas first, so the host cannot fault on it.

use std::ops::Range;
use std::ptr;
use std::slice;

use vino_abi::{ARGUMENTS_BYTES, ARGUMENTS_OFFSET, SANDBOX_BYTES};

use super::address::{BadSlice, SandboxAddr};
use super::arena::Slot;
use super::error::ExecError;
use super::shared::SharedRegion;
use super::sys::{self, Protection};
use crate::verify::VerifiedText;

/// A mapped range of pages.
#[derive(Clone, Debug)]
struct Area {
    range: Range<u64>,
    writable: bool,
    shared: bool,
}

/// One sandbox's address space and what is mapped in it.
#[derive(Debug)]
pub(super) struct Memory {
    areas: Vec<Area>,
    slot: Slot,
}

/// Why an area's bounds are what they are: an unchecked claim never reaches `pointer`.
const IN_SLOT: &str = "areas lie inside the sandbox and do not overlap";

impl Memory {
    /// Wraps an empty slot.
    pub(super) fn new(slot: Slot) -> Self {
        Self {
            areas: Vec::new(),
            slot,
        }
    }

    /// Returns the address of the sandbox's first byte.
    pub(super) fn base(&self) -> u64 {
        self.slot.base() as u64
    }

    fn pointer(&self, offset: u32) -> *mut u8 {
        ptr::with_exposed_provenance_mut(self.slot.base() + offset as usize)
    }

    fn admit(&mut self, offset: u32, bytes: u32, shared: bool) {
        let start = u64::from(offset);
        let range = start..start + u64::from(bytes);
        let free = |area: &Area| range.end <= area.range.start || area.range.end <= range.start;
        assert!(
            range.end <= SANDBOX_BYTES && self.areas.iter().all(free),
            "{IN_SLOT}"
        );
        self.areas.push(Area {
            range,
            writable: !shared,
            shared,
        });
    }

    /// Maps zeroed pages that can be read and written, and lends them for filling.
    ///
    /// # Panics
    ///
    /// The range leaves the sandbox or overlaps another area.
    pub(super) fn map(
        &mut self,
        area: &'static str,
        offset: u32,
        bytes: u32,
    ) -> Result<&mut [u8], ExecError> {
        if bytes == 0 {
            return Ok(&mut []);
        }
        self.admit(offset, bytes, false);
        let start = self.pointer(offset);
        // SAFETY: `admit` made sure that the range is ours and that nothing is mapped there.
        unsafe { sys::protect(start.addr(), bytes as usize, Protection::ReadWrite) }.map_err(
            |source| ExecError::Map {
                area,
                bytes: u64::from(bytes),
                source,
            },
        )?;
        // SAFETY: the pages were just made accessible, are zero, and `&mut self` is exclusive: no
        // graft runs in this sandbox while the borrow lives.
        Ok(unsafe { slice::from_raw_parts_mut(start, bytes as usize) })
    }

    /// Maps a shared region, read-only.
    ///
    /// # Panics
    ///
    /// The range leaves the sandbox or overlaps another area.
    pub(super) fn map_view(&mut self, offset: u32, region: &SharedRegion) -> Result<(), ExecError> {
        let bytes = region.mapped_bytes();
        self.admit(offset, bytes, true);
        let start = self.pointer(offset).addr();
        // SAFETY: `admit` made sure that the range is ours and that nothing is mapped there.
        unsafe { sys::map_file_read_only_at(start, region.file(), bytes as usize) }.map_err(
            |source| ExecError::Map {
                area: "view",
                bytes: u64::from(bytes),
                source,
            },
        )
    }

    /// Ends the writing of an area that `map` mapped whole.
    ///
    /// # Panics
    ///
    /// No such area exists.
    pub(super) fn seal(
        &mut self,
        area: &'static str,
        offset: u32,
        bytes: u32,
        protection: Protection,
    ) -> Result<(), ExecError> {
        if bytes == 0 {
            return Ok(());
        }
        let start = self.pointer(offset).addr();
        let range = u64::from(offset)..u64::from(offset) + u64::from(bytes);
        let entry = self.areas.iter_mut().find(|entry| entry.range == range);
        entry
            .expect("only an area that was mapped is sealed")
            .writable = false;
        // SAFETY: the range is an area of this sandbox, and `&mut self` excludes references to it.
        unsafe { sys::protect(start, bytes as usize, protection) }.map_err(|source| {
            ExecError::Map {
                area,
                bytes: u64::from(bytes),
                source,
            }
        })
    }

    /// Makes the text executable that the verifier accepted in this memory.
    ///
    /// Between the verifier's look and this call nothing could change the bytes, since they are
    /// sealed, and nothing can after it.
    ///
    /// # Panics
    ///
    /// The proof is not about a sealed area of this memory.
    pub(super) fn make_executable(&mut self, proof: VerifiedText) -> Result<(), ExecError> {
        let bytes = u32::try_from(proof.bytes_len()).expect("text fits in a sandbox");
        let start = self.sealed(proof.offset(), bytes).as_ptr().addr();
        // SAFETY: the range is a sealed area of this sandbox; it stays readable.
        unsafe { sys::protect(start, bytes as usize, Protection::ReadExecute) }.map_err(|source| {
            ExecError::Map {
                area: "text",
                bytes: u64::from(bytes),
                source,
            }
        })
    }

    /// Lends an area that was sealed, which nothing can change any more.
    ///
    /// # Panics
    ///
    /// No such area exists.
    pub(super) fn sealed(&self, offset: u32, bytes: u32) -> &[u8] {
        let range = u64::from(offset)..u64::from(offset) + u64::from(bytes);
        let entry = self.areas.iter().find(|entry| entry.range == range);
        assert!(
            entry.is_some_and(|area| !area.writable && !area.shared),
            "only sealed areas stay"
        );
        // SAFETY: the area is mapped, readable until `self` is dropped, and no longer writable by
        // anyone: it is private to this sandbox and sealed.
        unsafe { slice::from_raw_parts(self.pointer(offset), bytes as usize) }
    }

    /// Returns how many bytes are mapped, without what is shared with the host.
    pub(super) fn private_bytes(&self) -> u64 {
        let private = self.areas.iter().filter(|area| !area.shared);
        private.map(|area| area.range.end - area.range.start).sum()
    }

    /// Returns whether all of a range is mapped, and writable if asked.
    #[inline]
    fn allows(&self, addr: SandboxAddr, len: u32, write: bool) -> bool {
        let start = u64::from(addr.offset());
        let end = start + u64::from(len);
        let arguments = u64::from(ARGUMENTS_OFFSET);
        if start >= arguments && end <= arguments + u64::from(ARGUMENTS_BYTES) {
            // The page that nearly every access is for, and that every instance has.
            return true;
        }
        // A range may run over areas that touch: follow them.
        let mut reached = start;
        while reached < end {
            let next = self.areas.iter().find(|area| area.range.contains(&reached));
            match next {
                Some(area) if area.writable || !write => reached = area.range.end,
                _ => return false,
            }
        }
        true
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
    fn check(&self, addr: SandboxAddr, len: usize, write: bool) -> Result<*mut u8, BadSlice> {
        let short = u32::try_from(len).map_err(|_| BadSlice {
            addr,
            len: u32::MAX,
        })?;
        if self.allows(addr, short, write) {
            return Ok(self.pointer(addr.offset()));
        }
        Err(BadSlice { addr, len: short })
    }
}
