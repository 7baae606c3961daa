//! A trace: the page references of one process, with pages numbered densely.
//!
//! A page's dense number is its rank among the pages of the trace, so page tables are flat arrays,
//! neighbours stay neighbours, and the number that the source used is found by indexing. The
//! canonical bytes of [`Trace::to_bytes`] are what a store names by digest.
use std::fmt;

use crate::ids::PageNo;

/// The most references one trace may have.
pub const REFERENCES_MAX: usize = 1 << 30;
/// Bytes of one trace: 64 for each reference, more than any format needs.
const BYTES_MAX: u64 = 64 * REFERENCES_MAX as u64;
/// The most different pages one trace may have.
///
/// 128 GiB of memory; a page costs a trace that is being read up to 60 bytes.
const PAGES_MAX: usize = 1 << 25;
/// Page ids below this are numbered by a flat table of at most 64 MiB.
const SMALL_IDS: usize = 1 << 24;
/// Marks a reference that writes; the bits below hold the page.
const WRITE_BIT: u32 = 1 << 31;
/// The first bytes of the canonical form, with its version.
const MAGIC: [u8; 8] = *b"vtrace\x00\x01";
/// Bytes of the canonical form before its tables.
const HEADER_BYTES: usize = MAGIC.len() + 16;

/// One reference to a page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Reference(u32);

impl Reference {
    /// The page.
    pub fn page(self) -> PageNo {
        PageNo(self.0 & !WRITE_BIT)
    }

    /// Whether it modifies the page.
    pub fn is_write(self) -> bool {
        self.0 & WRITE_BIT != 0
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_write() { "write" } else { "read" };
        write!(formatter, "{kind} of {}", self.page())
    }
}

/// How large a trace may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceLimits {
    /// References of the trace.
    pub references_max: usize,
    /// Bytes of one line of a text format.
    pub line_bytes_max: usize,
    /// Bytes of the whole text or file, after decompression.
    pub bytes_max: u64,
}

impl Default for TraceLimits {
    fn default() -> TraceLimits {
        TraceLimits {
            references_max: REFERENCES_MAX,
            line_bytes_max: 4096,
            bytes_max: BYTES_MAX,
        }
    }
}

/// Why a trace could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// A line of a text format makes no sense.
    #[error("line {line}: {text:?} is not {expected}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What stands there, shortened.
        text: String,
        /// What the format has there.
        expected: &'static str,
    },
    /// A record of a binary format makes no sense.
    #[error("byte {offset}: {problem}")]
    Record {
        /// Counted from 0.
        offset: u64,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// There is nothing to run.
    #[error("the trace is empty: it holds no reference")]
    Empty,
    /// The trace is larger than allowed.
    #[error("the trace has more than {references_max} references: split it, or raise the limit")]
    TooManyReferences {
        /// The limit.
        references_max: usize,
    },
    /// The trace takes more bytes than allowed.
    #[error(
        "the trace has more than {bytes_max} bytes of text or records: split it, or leave out its \
         comments and blank lines"
    )]
    TooManyBytes {
        /// The limit.
        bytes_max: u64,
    },
    /// The trace names more pages than a page table holds.
    #[error("the trace names {pages} pages, more than the {PAGES_MAX} that one process may have")]
    TooManyPages {
        /// How many it names.
        pages: usize,
    },
    /// The bytes could not be had.
    #[error("the trace could not be read")]
    Read(#[from] std::io::Error),
}

/// Why bytes are not the canonical form of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TraceBytesError {
    /// The first bytes are not those of a trace of this version.
    #[error("not a stored trace, or one of another version: import it again")]
    Magic,
    /// The length contradicts the header.
    #[error("a stored trace of {bytes} bytes should have {expected}: the file is damaged")]
    Length {
        /// Bytes there are.
        bytes: usize,
        /// Bytes the header promises.
        expected: u64,
    },
    /// A table holds what no trace can hold.
    #[error("a stored trace is damaged at byte {offset}: {problem}")]
    Content {
        /// Counted from 0.
        offset: usize,
        /// What is wrong there.
        problem: &'static str,
    },
}

/// The references of one process.
///
/// # Invariants
///
/// There is at least one reference; each names a page below `ids.len()`; ids are ascending.
#[derive(Clone, PartialEq, Eq)]
pub struct Trace {
    references: Vec<Reference>,
    ids: Vec<u64>,
}

impl fmt::Debug for Trace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (references, pages) = (self.references.len(), self.ids.len());
        write!(formatter, "Trace({references} references to {pages} pages)")
    }
}

impl Trace {
    /// Makes a trace of reads of the given page ids.
    pub fn from_page_ids(ids: impl IntoIterator<Item = u64>) -> Result<Trace, TraceError> {
        let mut builder = TraceBuilder::new(TraceLimits::default());
        for id in ids {
            builder.push(id, false)?;
        }
        builder.finish()
    }

    /// The references in order.
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// How many different pages the trace names.
    pub fn pages(&self) -> u32 {
        u32::try_from(self.ids.len()).expect("PAGES_MAX fits u32")
    }

    /// The number that the source of the trace gave to `page`.
    pub fn page_id(&self, page: PageNo) -> Option<u64> {
        self.ids.get(page.index()).copied()
    }

    /// The ids of all pages, ascending; a page's number is its index.
    pub fn page_ids(&self) -> &[u64] {
        &self.ids
    }

    /// The page that the source of the trace numbered `id`.
    pub fn page_of_id(&self, id: u64) -> Option<PageNo> {
        let rank = self.ids.binary_search(&id).ok()?;
        Some(PageNo(u32::try_from(rank).ok()?))
    }

    /// The canonical bytes: header, page ids, references; all little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let bytes = HEADER_BYTES + 8 * self.ids.len() + 4 * self.references.len();
        let mut out = Vec::with_capacity(bytes);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&(self.ids.len() as u64).to_le_bytes());
        out.extend_from_slice(&(self.references.len() as u64).to_le_bytes());
        out.extend(self.ids.iter().flat_map(|id| id.to_le_bytes()));
        out.extend(self.references.iter().flat_map(|it| it.0.to_le_bytes()));
        out
    }

    /// Reads the canonical bytes back, trusting nothing in them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Trace, TraceBytesError> {
        let header = bytes.get(..HEADER_BYTES).ok_or(TraceBytesError::Magic)?;
        if header[..MAGIC.len()] != MAGIC {
            return Err(TraceBytesError::Magic);
        }
        let count = |at: usize| -> u64 {
            u64::from_le_bytes(header[at..at + 8].try_into().expect("eight bytes"))
        };
        let (pages, references) = (count(MAGIC.len()), count(MAGIC.len() + 8));
        let tables = pages.saturating_mul(8);
        let tables = tables.saturating_add(references.saturating_mul(4));
        let expected = tables.saturating_add(HEADER_BYTES as u64);
        if bytes.len() as u64 != expected {
            let bytes = bytes.len();
            return Err(TraceBytesError::Length { bytes, expected });
        }
        let tables = &bytes[HEADER_BYTES..];
        let (ids, references) = tables.split_at(tables.len() - 4 * to_index(references));
        let trace = Trace {
            references: references.as_chunks::<4>().0.iter().map(read_ref).collect(),
            ids: ids.as_chunks::<8>().0.iter().map(read_id).collect(),
        };
        trace.check_content()?;
        Ok(trace)
    }

    /// Checks the type's invariants on content that came from outside.
    fn check_content(&self) -> Result<(), TraceBytesError> {
        let damaged = |offset, problem| Err(TraceBytesError::Content { offset, problem });
        if self.references.is_empty() || self.ids.len() > PAGES_MAX {
            return damaged(MAGIC.len(), "no reference, or too many pages");
        }
        let order = self.ids.windows(2).position(|pair| pair[0] >= pair[1]);
        if let Some(index) = order {
            let offset = HEADER_BYTES + 8 * index;
            return damaged(offset, "page ids are not ascending");
        }
        let mut references = self.references.iter();
        let stray = references.position(|it| it.page().index() >= self.ids.len());
        if let Some(index) = stray {
            let offset = HEADER_BYTES + 8 * self.ids.len() + 4 * index;
            return damaged(offset, "a reference to a page that is not listed");
        }
        Ok(())
    }
}

fn read_id(bytes: &[u8; 8]) -> u64 {
    u64::from_le_bytes(*bytes)
}

fn read_ref(bytes: &[u8; 4]) -> Reference {
    Reference(u32::from_le_bytes(*bytes))
}

/// An element count that was compared with a length in memory before.
fn to_index(count: u64) -> usize {
    usize::try_from(count).expect("compared with a length in memory")
}

/// Collects references and numbers their pages.
#[derive(Debug)]
pub struct TraceBuilder {
    limits: TraceLimits,
    references: Vec<Reference>,
    ids: Vec<u64>,
    numbers: PageNumbers,
}

/// The numbers given to page ids so far.
///
/// Traces of disks and caches mostly have small ids, for which a flat table is several times faster
/// than hashing.
#[derive(Debug, Default)]
struct PageNumbers {
    /// By id, the number plus one; 0 where none was given.
    small: Vec<u32>,
    #[expect(
        clippy::disallowed_types,
        reason = "looked up by key and never iterated, so its order reaches nothing"
    )]
    large: std::collections::HashMap<u64, u32>,
}

impl PageNumbers {
    /// The place for the number of `id`, plus one.
    fn entry(&mut self, id: u64) -> &mut u32 {
        match usize::try_from(id) {
            Ok(index) if index < SMALL_IDS => {
                if index >= self.small.len() {
                    let len = (index + 1).next_power_of_two();
                    self.small.resize(len, 0);
                }
                &mut self.small[index]
            }
            _ => self.large.entry(id).or_default(),
        }
    }
}

impl TraceBuilder {
    /// Starts an empty trace.
    pub fn new(limits: TraceLimits) -> TraceBuilder {
        TraceBuilder {
            limits,
            references: Vec::new(),
            ids: Vec::new(),
            numbers: PageNumbers::default(),
        }
    }

    /// Refuses `count` more references at once if the trace has no room for them.
    pub(crate) fn reserve(&self, count: u64) -> Result<(), TraceError> {
        let references_max = self.limits.references_max.min(REFERENCES_MAX);
        let room = references_max - self.references.len().min(references_max);
        if count > room as u64 {
            return Err(TraceError::TooManyReferences { references_max });
        }
        Ok(())
    }

    /// Appends a reference to the page that the source numbers `id`.
    pub fn push(&mut self, id: u64, write: bool) -> Result<(), TraceError> {
        self.reserve(1)?;
        let entry = self.numbers.entry(id);
        if *entry == 0 {
            self.ids.push(id);
            let pages = self.ids.len();
            if pages > PAGES_MAX {
                return Err(TraceError::TooManyPages { pages });
            }
            *entry = u32::try_from(pages).expect("PAGES_MAX fits u32");
        }
        let write = if write { WRITE_BIT } else { 0 };
        self.references.push(Reference((*entry - 1) | write));
        Ok(())
    }

    /// Numbers the pages by rank and ends the trace.
    pub fn finish(self) -> Result<Trace, TraceError> {
        if self.references.is_empty() {
            return Err(TraceError::Empty);
        }
        let mut by_rank: Vec<(u64, u32)> = (0..).zip(&self.ids).map(|(n, &id)| (id, n)).collect();
        by_rank.sort_unstable();
        let mut rank_of = vec![0u32; by_rank.len()];
        for (rank, &(_, number)) in (0..).zip(&by_rank) {
            rank_of[number as usize] = rank;
        }
        let mut references = self.references;
        for reference in &mut references {
            let rank = rank_of[reference.page().index()];
            *reference = Reference(rank | (reference.0 & WRITE_BIT));
        }
        let ids = by_rank.into_iter().map(|(id, _)| id).collect();
        Ok(Trace { references, ids })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_numbered_by_rank_and_keep_their_ids() {
        let trace = Trace::from_page_ids([70, 9, 70, 12]).expect("a trace");
        let pages: Vec<u32> = trace.references().iter().map(|it| it.page().0).collect();
        assert_eq!(pages, [2, 0, 2, 1]);
        assert_eq!(trace.page_id(PageNo(2)), Some(70));
        assert_eq!(trace.page_of_id(12), Some(PageNo(1)));
        assert_eq!(trace.page_of_id(13), None);
    }

    #[test]
    fn small_and_large_ids_may_be_mixed() {
        let edge = SMALL_IDS as u64;
        let ids = [edge, edge - 1, u64::MAX, 0, edge, u64::MAX];
        let trace = Trace::from_page_ids(ids).expect("a trace");
        let pages: Vec<u32> = trace.references().iter().map(|it| it.page().0).collect();
        assert_eq!(pages, [2, 1, 3, 0, 2, 3]);
        assert_eq!(trace.page_ids(), [0, edge - 1, edge, u64::MAX]);
    }

    #[test]
    fn canonical_bytes_read_back_to_the_same_trace() {
        let mut builder = TraceBuilder::new(TraceLimits::default());
        for (id, write) in [(5, false), (u64::MAX, true), (5, true)] {
            builder.push(id, write).expect("within limits");
        }
        let trace = builder.finish().expect("a trace");
        assert_eq!(Trace::from_bytes(&trace.to_bytes()), Ok(trace));
    }

    #[test]
    fn damaged_bytes_are_refused_wherever_the_damage_is() {
        let bytes = Trace::from_page_ids([1, 2, 3]).expect("a trace").to_bytes();
        assert_eq!(Trace::from_bytes(b"hello"), Err(TraceBytesError::Magic));
        let truncated = Trace::from_bytes(&bytes[..bytes.len() - 1]);
        assert!(matches!(truncated, Err(TraceBytesError::Length { .. })));
        let mut huge = bytes.clone();
        huge[8..16].fill(0xff);
        let huge = Trace::from_bytes(&huge);
        assert!(matches!(huge, Err(TraceBytesError::Length { .. })));
        let mut unordered = bytes.clone();
        unordered[HEADER_BYTES] = 200;
        let unordered = Trace::from_bytes(&unordered).expect_err("unordered");
        assert!(unordered.to_string().contains("page ids are not ascending"));
        let mut stray = bytes.clone();
        let last = stray.len() - 4;
        stray[last] = 9;
        let stray = Trace::from_bytes(&stray).expect_err("stray page");
        assert!(stray.to_string().contains("a page that is not listed"));
    }

    #[test]
    fn a_trace_over_its_limit_is_refused() {
        let limits = TraceLimits {
            references_max: 2,
            ..TraceLimits::default()
        };
        let mut builder = TraceBuilder::new(limits);
        builder.push(1, false).expect("first");
        builder.push(1, false).expect("second");
        let third = builder.push(1, false).expect_err("third").to_string();
        assert!(third.contains("more than 2 references"), "{third}");
    }
}
