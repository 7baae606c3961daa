//! Addresses as a graft names them: claims, not proofs.

use std::fmt;

use vino_abi::SANDBOX_BYTES;

/// The bits of a graft's pointer that count.
const OFFSET_MASK: u64 = SANDBOX_BYTES - 1;

/// A byte offset inside one graft's sandbox.
///
/// # Invariants
///
/// The offset is below [`SANDBOX_BYTES`]. Nothing is known about what is mapped there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SandboxAddr(u32);

impl SandboxAddr {
    /// Returns `None` if `offset` is outside the sandbox.
    #[must_use]
    pub fn new(offset: u64) -> Option<Self> {
        u32::try_from(offset).ok().map(Self)
    }

    /// Takes a pointer as a graft spells it, of which only the low 32 bits count.
    #[must_use]
    pub const fn of_pointer(pointer: u64) -> Self {
        Self((pointer & OFFSET_MASK) as u32)
    }

    /// Returns the offset from the sandbox's base.
    #[must_use]
    pub const fn offset(self) -> u32 {
        self.0
    }
}

impl fmt::Debug for SandboxAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SandboxAddr({:#x})", self.0)
    }
}

impl fmt::Display for SandboxAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// A range of memory that a graft claims to own.
///
/// # Invariants
///
/// The range lies inside the sandbox and does not wrap. Whether it is mapped, readable or writable
/// is decided by the access, which fails with [`BadSlice`] if it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GraftSlice {
    addr: SandboxAddr,
    len: u32,
}

impl GraftSlice {
    /// Takes a pointer and a length from a graft; `None` if the range leaves the sandbox.
    ///
    /// Only the low 32 bits of the pointer count, as everywhere in a sandbox.
    #[must_use]
    pub fn claim(addr: u64, len: u64) -> Option<Self> {
        let addr = SandboxAddr::of_pointer(addr);
        let end = u64::from(addr.offset()).checked_add(len)?;
        let len = u32::try_from(len).ok()?;
        (end <= SANDBOX_BYTES).then_some(Self { addr, len })
    }

    /// Returns where the range starts.
    #[must_use]
    pub const fn addr(self) -> SandboxAddr {
        self.addr
    }

    /// Returns how many bytes the range has.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.len
    }

    /// Returns whether the range has no bytes.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// An access through a range that the graft may not use that way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{len} bytes at {addr} of the sandbox are not mapped for this access")]
pub struct BadSlice {
    /// Where the access started.
    pub addr: SandboxAddr,
    /// How many bytes it covered.
    pub len: u32,
}

#[cfg(test)]
mod tests {
    use super::{GraftSlice, SandboxAddr};

    #[test]
    fn a_claim_that_wraps_or_leaves_the_sandbox_is_refused() {
        assert!(GraftSlice::claim(0xffff_ffff, 1).is_some());
        assert!(GraftSlice::claim(0xffff_ffff, 2).is_none());
        assert!(GraftSlice::claim(0, 1 << 32).is_none());
        assert!(GraftSlice::claim(16, u64::MAX).is_none());
    }

    #[test]
    fn only_the_low_half_of_a_pointer_counts() {
        let slice = GraftSlice::claim(0x1234_0000_0010, 8).expect("inside");
        assert_eq!(slice.addr(), SandboxAddr::of_pointer(0x10));
        assert_eq!(SandboxAddr::new(1 << 32), None);
    }
}
