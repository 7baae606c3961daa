//! Runs of pages of an image that share one protection.

/// How the pages of a segment are protected once the image is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// Read and execute, after verification.
    Text,
    /// Read only.
    ReadOnly,
    /// Read and write.
    Data,
}

/// Consecutive pages of an image with one protection.
#[derive(Debug)]
pub struct Segment {
    /// Where the segment starts in the sandbox, a multiple of the page size.
    pub offset: u32,
    /// Bytes that it covers, a multiple of the page size.
    pub bytes_len: u32,
    /// How its pages are protected.
    pub kind: SegmentKind,
    /// What it starts with; zeros follow.
    pub(crate) initial: Vec<u8>,
    /// Words that hold an address.
    pub(crate) addresses: Vec<AddressWord>,
}

/// A 64-bit word that becomes `base + value` when its segment is placed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AddressWord {
    /// Where in its segment.
    pub(super) offset: u32,
    /// The address, as an offset from the base of the sandbox.
    pub(super) value: u32,
}

impl Segment {
    /// Writes what the segment holds in a sandbox at `base` into memory that is still zero.
    ///
    /// # Panics
    ///
    /// If `into` is shorter than the segment.
    pub(super) fn place(&self, base: u64, into: &mut [u8]) {
        into[..self.initial.len()].copy_from_slice(&self.initial);
        AddressWord::complete(&self.addresses, base, into);
    }
}

impl AddressWord {
    /// Writes the addresses that a segment holds in a sandbox at `base` into its bytes.
    ///
    /// # Panics
    ///
    /// If `segment` is too short for one of them.
    pub(crate) fn complete(words: &[Self], base: u64, segment: &mut [u8]) {
        for word in words {
            let at = word.offset as usize;
            let address = base + u64::from(word.value);
            segment[at..at + size_of::<u64>()].copy_from_slice(&address.to_le_bytes());
        }
    }
}
