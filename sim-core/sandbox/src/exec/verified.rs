//! An image whose final bytes were verified, where every instance of it will map them.
//!
//! Code is the same at every base, so it is placed once: in a memory file that is sealed before the
//! verifier looks at it. From then on nobody can change its bytes, the host included, and instances
//! map those very pages. What differs from base to base, addresses in constants and data, each
//! instance writes into pages of its own.
//!
//! ```text
//!  file:  info page | gates | text | constants | initial data
//!         `--- BASE_SLOT.. in the sandbox ---'   `- DATA_OFFSET..
//! ```

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::ptr;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use vino_abi::{BASE_SLOT, DATA_OFFSET, GATES_OFFSET, IMAGE_OFFSET, PAGE_BYTES};

use super::engine::{Engine, Process};
use super::entry::Clearing;
use super::error::{ExecError, LoadError};
use super::gates;
use super::instance::Entry;
use super::sys::{self, Protection, Seal};
use crate::image::{AddressWord, EntryOffset, LinkedImage, Segment, SegmentKind, SymbolTable};
use crate::verify::{self, Policy, Text, VerifiedText};

/// An image that keeps every rule of the sandbox, ready to be instantiated.
///
/// A clone is another handle to the same image, which lives until its last handle and its last
/// instance are gone. Handles may be used from several threads at once.
#[derive(Clone, Debug)]
pub struct VerifiedImage {
    sealed: Arc<Sealed>,
}

#[derive(Debug)]
struct Sealed {
    id: u64,
    process: &'static Process,
    image: LinkedImage,
    proof: VerifiedText,
    bytes: SealedBytes,
    places: Places,
}

/// Where the parts of an image are, in the sandbox and in the file.
#[derive(Debug)]
struct Places {
    text: Range<u32>,
    constants: Range<u32>,
    constant_words: Vec<AddressWord>,
    data: Range<u32>,
    /// What data starts with, in the file; zeros follow in the sandbox.
    initial_data: Range<usize>,
    data_words: Vec<AddressWord>,
}

/// Numbers images, so that an entry of one never passes for an entry of another.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl VerifiedImage {
    /// Places an image where its instances will map it, seals it, and verifies what is there.
    ///
    /// # Errors
    ///
    /// The code breaks a rule of the sandbox, or the system refuses memory.
    pub fn verify(
        engine: &Engine,
        mut image: LinkedImage,
        policy: &Policy,
    ) -> Result<Self, LoadError> {
        let (places, bytes) = place(engine, &mut image)?;
        let candidate = Text {
            bytes: bytes.in_sandbox(&places.text),
            offset: places.text.start,
            image: places.text.start..places.end(),
            imports: image.imports(),
            entries: image.entry_offsets(),
            relocations: image.text_relocations(),
            symbols: image.symbols(),
        };
        let proof = verify::verify(&candidate, policy).map_err(LoadError::Rejected)?;
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            sealed: Arc::new(Sealed {
                id,
                process: engine.process(),
                image,
                proof,
                bytes,
                places,
            }),
        })
    }

    /// Finds a global function by its name as in the object; any instance of the image has it.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<Entry> {
        let offset = self.sealed.image.entry(name)?.get();
        Some(Entry::new(self.sealed.id, offset))
    }

    /// Returns every global function and where it starts, in order of name.
    pub fn entries(&self) -> impl Iterator<Item = (&str, EntryOffset)> {
        self.sealed.image.entries()
    }

    /// Returns the names of the image's addresses.
    #[must_use]
    pub fn symbols(&self) -> &SymbolTable {
        self.sealed.image.symbols()
    }

    /// Returns the bytes of text: those that instances run, not a copy.
    #[must_use]
    pub fn text_bytes(&self) -> &[u8] {
        self.sealed.bytes.in_sandbox(&self.sealed.places.text)
    }

    /// Returns where text starts in a sandbox.
    #[must_use]
    pub fn text_offset(&self) -> u32 {
        self.sealed.places.text.start
    }

    /// Returns what the verifier found.
    #[must_use]
    pub fn proof(&self) -> VerifiedText {
        self.sealed.proof
    }

    pub(super) fn process(&self) -> &'static Process {
        self.sealed.process
    }

    /// Returns how to clear vector registers around calls of the image.
    pub(super) fn clearing(&self) -> Clearing {
        if self.sealed.proof.names_vectors() {
            self.sealed.process.clearing()
        } else {
            Clearing::Nothing
        }
    }

    pub(super) fn id(&self) -> u64 {
        self.sealed.id
    }

    pub(super) fn file(&self) -> BorrowedFd<'_> {
        self.sealed.bytes.file.as_fd()
    }

    /// Returns the offsets between which instances may execute what the file holds there: the info
    /// page, which each replaces by its own, the gates and text.
    pub(super) fn code(&self) -> Range<u32> {
        BASE_SLOT..self.sealed.places.text.end
    }

    /// Returns the offsets of read-only data; they start where code ends.
    pub(super) fn constants(&self) -> Range<u32> {
        self.sealed.places.constants.clone()
    }

    /// Returns the words of read-only data that hold an address.
    pub(super) fn constant_words(&self) -> &[AddressWord] {
        &self.sealed.places.constant_words
    }

    /// Returns the offsets of data that an instance may write.
    pub(super) fn data(&self) -> Range<u32> {
        self.sealed.places.data.clone()
    }

    /// Returns what data starts with, whole pages, but for its addresses.
    pub(super) fn initial_data(&self) -> &[u8] {
        &self.sealed.bytes.all()[self.sealed.places.initial_data.clone()]
    }

    /// Returns where in the file the initial data is.
    pub(super) fn initial_data_offset(&self) -> usize {
        self.sealed.places.initial_data.start
    }

    /// Returns the words of data that hold an address.
    pub(super) fn data_words(&self) -> &[AddressWord] {
        &self.sealed.places.data_words
    }
}

/// Returns where in the file what lies at an offset before the stack is.
pub(super) fn file_offset(offset: u32) -> usize {
    (offset - BASE_SLOT) as usize
}

impl Places {
    /// Returns the end of the last part.
    fn end(&self) -> u32 {
        self.constants.end.max(self.data.end)
    }
}

/// Writes an image's parts into a file and seals it.
fn place(engine: &Engine, image: &mut LinkedImage) -> Result<(Places, SealedBytes), ExecError> {
    let mut info_and_gates = vec![gates::TRAP; file_offset(GATES_OFFSET)];
    info_and_gates.extend(engine.process().gates().bytes(image.imports()));
    info_and_gates.resize(file_offset(IMAGE_OFFSET), gates::TRAP);
    let mut parts = vec![(0, info_and_gates)];
    let mut places = Places {
        text: IMAGE_OFFSET..IMAGE_OFFSET,
        constants: IMAGE_OFFSET..IMAGE_OFFSET,
        constant_words: Vec::new(),
        data: DATA_OFFSET..DATA_OFFSET,
        initial_data: 0..0,
        data_words: Vec::new(),
    };
    let mut bytes = file_offset(IMAGE_OFFSET);
    // In order of offset: text, read-only data, data.
    for segment in image.take_segments() {
        let range = segment.offset..segment.offset + segment.bytes_len;
        let Segment {
            kind,
            initial,
            addresses,
            ..
        } = segment;
        let start = bytes;
        let initial_bytes = initial.len().next_multiple_of(PAGE);
        match kind {
            SegmentKind::Text => {
                places.text = range.clone();
                places.constants = range.end..range.end;
            }
            SegmentKind::ReadOnly => {
                places.constants = range;
                places.constant_words = addresses;
            }
            SegmentKind::Data => {
                places.data = range;
                places.data_words = addresses;
                places.initial_data = start..start + initial_bytes;
            }
        }
        bytes += initial_bytes;
        parts.push((start, initial));
    }
    let sealed = SealedBytes::new(bytes, &parts).map_err(|source| ExecError::Image {
        bytes: bytes as u64,
        source,
    })?;
    Ok((places, sealed))
}

const PAGE: usize = 4096;
const _: () = assert!(PAGE as u64 == PAGE_BYTES);

/// A file that nobody can change any more, and a view of it.
#[derive(Debug)]
struct SealedBytes {
    file: OwnedFd,
    address: usize,
    bytes: usize,
}

impl SealedBytes {
    /// Writes each part at its offset and seals the result.
    fn new(bytes: usize, parts: &[(usize, Vec<u8>)]) -> io::Result<Self> {
        let file = File::from(sys::memory_file(c"vino-image", bytes)?);
        for (offset, part) in parts {
            file.write_all_at(part, *offset as u64)?;
        }
        let file = OwnedFd::from(file);
        // Before the first look at the bytes: whoever could still change them makes this fail.
        sys::seal(file.as_fd(), Seal::Contents)?;
        let address = sys::map_file(file.as_fd(), bytes, Protection::Read)?;
        Ok(Self {
            file,
            address,
            bytes,
        })
    }

    fn all(&self) -> &[u8] {
        let start = ptr::with_exposed_provenance(self.address);
        // SAFETY: the mapping was made in `new`, is readable and `bytes` long, and stays until
        // `drop`; the file was sealed before, so its bytes and its size never change.
        unsafe { slice::from_raw_parts(start, self.bytes) }
    }

    /// Lends what a range of sandboxes before the stack will show.
    fn in_sandbox(&self, range: &Range<u32>) -> &[u8] {
        &self.all()[file_offset(range.start)..file_offset(range.end)]
    }
}

impl Drop for SealedBytes {
    fn drop(&mut self) {
        // Failing to unmap leaks memory and harms nobody.
        drop(sys::release(self.address, self.bytes));
    }
}
