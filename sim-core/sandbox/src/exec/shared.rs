//! Memory that the host writes and grafts may only read.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use vino_abi::PAGE_BYTES;

use super::error::ExecError;
use super::sys::{self, Protection, Seal};

/// The largest shared region: all of the room for views.
const REGION_BYTES_MAX: usize = (vino_abi::VIEWS_END - vino_abi::VIEWS_OFFSET) as usize;

/// Host-writable memory that instances can map read-only.
///
/// A clone is another handle to the same memory, which lives until the last handle and the last
/// instance that maps it are gone.
#[derive(Clone, Debug)]
pub struct SharedRegion {
    inner: Arc<Region>,
}

#[derive(Debug)]
struct Region {
    file: OwnedFd,
    address: usize,
    bytes: usize,
    mapped: u32,
}

impl SharedRegion {
    /// Makes a region of `bytes` zero bytes, rounded up to whole words.
    ///
    /// # Errors
    ///
    /// The region is empty, exceeds the room for views, or the system has no memory for it.
    pub fn new(bytes: usize) -> Result<Self, ExecError> {
        let fail = |source| ExecError::SharedRegion { bytes, source };
        let invalid = || fail(std::io::Error::from_raw_os_error(libc::EINVAL));
        if bytes == 0 || bytes > REGION_BYTES_MAX {
            return Err(invalid());
        }
        let rounded = (bytes as u64).next_multiple_of(PAGE_BYTES);
        let mapped = u32::try_from(rounded).map_err(|_| invalid())?;
        let file = sys::memory_file(c"vino-shared-region", mapped as usize).map_err(fail)?;
        sys::seal(file.as_fd(), Seal::Size).map_err(fail)?;
        let writable = Protection::ReadWrite;
        let address = sys::map_file(file.as_fd(), mapped as usize, writable).map_err(fail)?;
        let bytes = bytes.next_multiple_of(size_of::<AtomicU32>());
        Ok(Self {
            inner: Arc::new(Region {
                file,
                address,
                bytes,
                mapped,
            }),
        })
    }

    /// Returns the memory as words, which grafts see change as soon as they are stored.
    #[must_use]
    pub fn words(&self) -> &[AtomicU32] {
        let first = ptr::with_exposed_provenance(self.inner.address);
        let count = self.inner.bytes / size_of::<AtomicU32>();
        // SAFETY: the mapping was made in `new`, is at least `bytes` long, page-aligned, and stays
        // until `Region::drop`, which the borrow of `self` outlives; only atomics access it.
        unsafe { slice::from_raw_parts(first, count) }
    }

    /// Returns how many bytes the region has.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.inner.bytes
    }

    /// Returns how many bytes of a sandbox the region takes: whole pages.
    pub(super) fn mapped_bytes(&self) -> u32 {
        self.inner.mapped
    }

    pub(super) fn file(&self) -> BorrowedFd<'_> {
        self.inner.file.as_fd()
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // Failing to unmap leaks memory and harms nobody.
        drop(sys::release(self.address, self.mapped as usize));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::{REGION_BYTES_MAX, SharedRegion};

    #[test]
    fn a_region_is_zero_and_shared_by_its_clones() {
        let region = SharedRegion::new(5).expect("memory");
        assert_eq!(region.bytes(), 8);
        let clone = region.clone();
        region.words()[1].store(7, Ordering::Relaxed);
        drop(region);
        assert_eq!(clone.words()[0].load(Ordering::Relaxed), 0);
        assert_eq!(clone.words()[1].load(Ordering::Relaxed), 7);
    }

    #[test]
    fn an_empty_or_huge_region_is_refused() {
        assert!(SharedRegion::new(0).is_err());
        assert!(SharedRegion::new(REGION_BYTES_MAX + 1).is_err());
    }
}
