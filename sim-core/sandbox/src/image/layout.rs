//! Where the parts of an image are in the sandbox.
//!
//! Each part starts a page; data has a place of its own, beside the heap:
//!
//! ```text
//! IMAGE_OFFSET   text | at least 16 bytes 0xcc ||  read-only data | GOT
//! DATA_OFFSET    data | bss
//! ```

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use vino_abi::{DATA_END, DATA_OFFSET, IMAGE_END, IMAGE_OFFSET, PAGE_BYTES};

use super::decode::DecodedImage;
use super::error::LinkError;
use super::parts::{RelocationKind, SectionKind};
use super::segment::SegmentKind;

/// Bytes of fill that follow the last instruction, at least.
const FILL_BYTES_MIN: u64 = 16;
/// Bytes of an entry of the global offset table.
const GOT_ENTRY_BYTES: u64 = 8;

/// Offsets of everything in the sandbox.
pub(super) struct Layout {
    /// By index of section.
    pub(super) sections: Vec<u32>,
    /// Offset of the GOT entry of each symbol that has one, by index of symbol.
    pub(super) got: BTreeMap<u32, u32>,
    pub(super) segments: Vec<Extent>,
}

/// Where a segment is, in sandbox offsets.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    pub(super) kind: SegmentKind,
    pub(super) start: u32,
    /// End of what has initial bytes.
    pub(super) initial_end: u32,
    /// A page boundary.
    pub(super) end: u32,
}

impl Layout {
    pub(super) fn new(image: &DecodedImage) -> Result<Self, LinkError> {
        let mut cursor = Cursor::new(image.image_bytes_max);
        let mut layout = Self {
            sections: vec![0; image.sections.len()],
            got: BTreeMap::new(),
            segments: Vec::new(),
        };
        let start = cursor.at;
        layout.append(image, SectionKind::Text, &mut cursor)?;
        cursor.advance(FILL_BYTES_MIN, 1)?;
        cursor.advance(0, PAGE_BYTES)?;
        layout.close(SegmentKind::Text, start, cursor.at, &mut cursor)?;

        let start = cursor.at;
        layout.append(image, SectionKind::ReadOnly, &mut cursor)?;
        let got_symbols = image
            .sections
            .iter()
            .flat_map(|section| &section.relocations)
            .filter(|relocation| relocation.kind == RelocationKind::GotRelative32);
        for relocation in got_symbols {
            if let Entry::Vacant(slot) = layout.got.entry(relocation.symbol) {
                slot.insert(cursor.advance(GOT_ENTRY_BYTES, GOT_ENTRY_BYTES)?);
            }
        }
        layout.close(SegmentKind::ReadOnly, start, cursor.at, &mut cursor)?;

        cursor.start_data();
        let start = cursor.at;
        layout.append(image, SectionKind::Data, &mut cursor)?;
        let initial_end = cursor.at;
        layout.append(image, SectionKind::Bss, &mut cursor)?;
        layout.close(SegmentKind::Data, start, initial_end, &mut cursor)?;
        Ok(layout)
    }

    /// Gives the sections of one kind their places.
    fn append(
        &mut self,
        image: &DecodedImage,
        kind: SectionKind,
        cursor: &mut Cursor,
    ) -> Result<(), LinkError> {
        for (index, section) in image.sections.iter().enumerate() {
            if section.kind == kind {
                let at = cursor.advance(u64::from(section.size), u64::from(section.align))?;
                self.sections[index] = at;
            }
        }
        Ok(())
    }

    /// Ends a segment at the next page, unless it is empty.
    fn close(
        &mut self,
        kind: SegmentKind,
        start: u64,
        initial_end: u64,
        cursor: &mut Cursor,
    ) -> Result<(), LinkError> {
        cursor.advance(0, PAGE_BYTES)?;
        if cursor.at > start {
            let narrow = |at| cursor.narrow(at);
            let extent = Extent {
                kind,
                start: narrow(start)?,
                initial_end: narrow(initial_end)?,
                end: narrow(cursor.at)?,
            };
            self.segments.push(extent);
        }
        Ok(())
    }
}

/// The next free offset of a growing image.
struct Cursor {
    at: u64,
    /// Where the present part of the image starts.
    start: u64,
    /// Where that part must end.
    end: u64,
    /// Bytes of the parts before it.
    bytes_before: u64,
    /// Bytes that all parts may have together.
    bytes_max: u64,
}

impl Cursor {
    fn new(bytes_max: u32) -> Self {
        Self {
            at: u64::from(IMAGE_OFFSET),
            start: u64::from(IMAGE_OFFSET),
            end: u64::from(IMAGE_END),
            bytes_before: 0,
            bytes_max: u64::from(bytes_max),
        }
    }

    /// Goes on where data lies.
    fn start_data(&mut self) {
        *self = Self {
            at: u64::from(DATA_OFFSET),
            start: u64::from(DATA_OFFSET),
            end: u64::from(DATA_END),
            bytes_before: self.at - self.start,
            bytes_max: self.bytes_max,
        };
    }

    /// Takes `bytes` at the next multiple of `align` and returns where they start.
    fn advance(&mut self, bytes: u64, align: u64) -> Result<u32, LinkError> {
        let start = self.at.next_multiple_of(align);
        self.at = start + bytes;
        self.narrow(self.at)?;
        self.narrow(start)
    }

    fn narrow(&self, at: u64) -> Result<u32, LinkError> {
        let bytes = self.bytes_before + (at - self.start);
        let room = self.bytes_before + (self.end - self.start);
        let bytes_max = self.bytes_max.min(room);
        match u32::try_from(at) {
            Ok(narrow) if bytes <= bytes_max => Ok(narrow),
            _ => Err(LinkError::TooLarge { bytes, bytes_max }),
        }
    }
}
