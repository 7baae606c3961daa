//! Gives every section and symbol of a decoded object its place in the sandbox.
//!
//! Code refers to other places only relative to itself, so its bytes are the same wherever the
//! sandbox is; addresses in data are completed when a segment is placed.

use std::collections::BTreeMap;

use vino_abi::{GATE_BYTES, IMPORT_GATES_OFFSET, IMPORTS_MAX};

use super::decode::DecodedImage;
use super::error::LinkError;
use super::layout::{Extent, Layout};
use super::parts::{Place, Relocation, RelocationKind, Section, SectionKind};
use super::segment::{AddressWord, Segment, SegmentKind};
use super::symbol_table::{self, SymbolTable};

/// `int3`: what fills code pages where there is no code.
const FILL: u8 = 0xcc;

/// Where an entry point is in the sandbox: the start of a global function of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryOffset(u32);

impl EntryOffset {
    /// The offset from the base of the sandbox.
    pub fn get(self) -> u32 {
        self.0
    }
}

/// An image whose layout is fixed; only the base of the sandbox is still open.
#[derive(Debug)]
pub struct LinkedImage {
    segments: Vec<Segment>,
    symbols: SymbolTable,
    /// Sorted by name.
    entries: Vec<(String, EntryOffset)>,
    entry_offsets: Vec<u32>,
    imports: Vec<u32>,
    text_relocations: Vec<u32>,
}

impl LinkedImage {
    /// The segments, in order of offset.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Gives up the bytes of the segments, for whoever keeps them elsewhere.
    pub(crate) fn take_segments(&mut self) -> Vec<Segment> {
        std::mem::take(&mut self.segments)
    }

    /// Writes what a segment holds in a sandbox at `base` into memory that is still zero.
    ///
    /// # Panics
    ///
    /// If there is no such segment, or `into` is shorter than it.
    pub fn place(&self, base: u64, segment: usize, into: &mut [u8]) {
        self.segments[segment].place(base, into);
    }

    /// The names of the image's addresses.
    pub fn symbols(&self) -> &SymbolTable {
        &self.symbols
    }

    /// Where the global function of this (mangled) name starts.
    pub fn entry(&self, name: &str) -> Option<EntryOffset> {
        let index = self
            .entries
            .binary_search_by(|(entry, _)| entry.as_str().cmp(name))
            .ok()?;
        Some(self.entries[index].1)
    }

    /// Every global function and where it starts, in order of name.
    pub fn entries(&self) -> impl Iterator<Item = (&str, EntryOffset)> {
        self.entries
            .iter()
            .map(|(name, offset)| (name.as_str(), *offset))
    }

    /// Where global functions start, each offset once, sorted.
    pub fn entry_offsets(&self) -> &[u32] {
        &self.entry_offsets
    }

    /// The indices of the imports that the object names, sorted: the gates that it may reach.
    pub fn imports(&self) -> &[u32] {
        &self.imports
    }

    /// Where linking changed code, sorted: sandbox offsets of 32-bit fields.
    pub fn text_relocations(&self) -> &[u32] {
        &self.text_relocations
    }
}

impl DecodedImage {
    /// Fixes the place of every section and symbol.
    ///
    /// `resolve` gives the index of the import that an undefined symbol means, or `None` if there
    /// is none; it is asked once for each name.
    ///
    /// # Errors
    ///
    /// If names stay undefined, the image is too large, or a relocated value does not fit.
    ///
    /// # Panics
    ///
    /// If `resolve` answers `IMPORTS_MAX` or more.
    pub fn link(
        self,
        resolve: &mut dyn FnMut(&str) -> Option<u32>,
    ) -> Result<LinkedImage, LinkError> {
        let imports = resolve_imports(&self, resolve)?;
        let layout = Layout::new(&self)?;
        let mut linker = Linker {
            image: &self,
            imports: &imports,
            layout,
            segments: Vec::new(),
        };
        let text_relocations = linker.relocate()?;
        let entries = linker.entries();
        let symbols = linker.symbols();
        let segments = linker.segments;
        let entry_offsets = sorted(entries.iter().map(|(_, offset)| offset.get()));
        let imports = sorted(imports.into_values());
        Ok(LinkedImage {
            segments,
            symbols,
            entries,
            entry_offsets,
            imports,
            text_relocations,
        })
    }
}

/// Each value once, in order.
fn sorted(values: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut values: Vec<u32> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// Asks for the import behind each undefined name.
fn resolve_imports(
    image: &DecodedImage,
    resolve: &mut dyn FnMut(&str) -> Option<u32>,
) -> Result<BTreeMap<String, u32>, LinkError> {
    let mut imports = BTreeMap::new();
    let mut names = Vec::new();
    for name in image.undefined_symbols() {
        match resolve(name) {
            Some(index) => {
                assert!(
                    index < IMPORTS_MAX,
                    "import {name} has index {index} of {IMPORTS_MAX}"
                );
                imports.insert(name.to_owned(), index);
            }
            None => names.push(name.to_owned()),
        }
    }
    if names.is_empty() {
        Ok(imports)
    } else {
        Err(LinkError::Undefined { names })
    }
}

/// Fills the segments.
struct Linker<'a> {
    image: &'a DecodedImage,
    imports: &'a BTreeMap<String, u32>,
    layout: Layout,
    segments: Vec<Segment>,
}

impl Linker<'_> {
    /// Creates the segments, copies the sections into them and applies their relocations;
    /// returns where code was changed.
    fn relocate(&mut self) -> Result<Vec<u32>, LinkError> {
        self.segments = self
            .layout
            .segments
            .iter()
            .map(|extent| empty_segment(*extent))
            .collect();
        let mut in_text = Vec::new();
        for (index, section) in self.image.sections.iter().enumerate() {
            if section.bytes.is_empty() {
                continue;
            }
            let start = self.layout.sections[index];
            let (segment, at) = self.segment_at(start);
            let at = at as usize;
            self.segments[segment].initial[at..at + section.bytes.len()]
                .copy_from_slice(&section.bytes);
            for relocation in &section.relocations {
                self.apply(section, start, relocation)?;
                if section.kind == SectionKind::Text {
                    in_text.push(start + relocation.offset);
                }
            }
        }
        for (&symbol, &slot) in &self.layout.got {
            let value = self.address(symbol);
            let (segment, offset) = self.segment_at(slot);
            self.segments[segment]
                .addresses
                .push(AddressWord { offset, value });
        }
        // Sections were visited in the order of the object, which is that of their offsets.
        debug_assert!(in_text.is_sorted());
        Ok(in_text)
    }

    fn apply(
        &mut self,
        section: &Section,
        section_offset: u32,
        relocation: &Relocation,
    ) -> Result<(), LinkError> {
        let place = section_offset + relocation.offset;
        let (segment, at) = self.segment_at(place);
        let overflow = || LinkError::Overflow {
            section: section.name.clone(),
            offset: relocation.offset,
            symbol: self.image.symbols[relocation.symbol as usize].name.clone(),
        };
        let target = match relocation.kind {
            RelocationKind::GotRelative32 => self.layout.got[&relocation.symbol],
            RelocationKind::Absolute64 | RelocationKind::Relative32 => {
                self.address(relocation.symbol)
            }
        };
        let value = i64::from(target)
            .checked_add(relocation.addend)
            .ok_or_else(overflow)?;
        if relocation.kind == RelocationKind::Absolute64 {
            let value = u32::try_from(value).map_err(|_| overflow())?;
            self.segments[segment]
                .addresses
                .push(AddressWord { offset: at, value });
            return Ok(());
        }
        let distance = value.checked_sub(i64::from(place)).ok_or_else(overflow)?;
        let distance = i32::try_from(distance).map_err(|_| overflow())?;
        let at = at as usize;
        self.segments[segment].initial[at..at + size_of::<i32>()]
            .copy_from_slice(&distance.to_le_bytes());
        Ok(())
    }

    /// The sandbox offset of a symbol that a relocation refers to.
    fn address(&self, symbol: u32) -> u32 {
        let symbol = &self.image.symbols[symbol as usize];
        match symbol.place {
            Place::Loaded { section, offset } => self.layout.sections[section as usize] + offset,
            Place::Undefined => IMPORT_GATES_OFFSET + self.imports[&symbol.name] * GATE_BYTES,
            Place::NotLoaded => unreachable!("decoding refuses relocations to {}", symbol.name),
        }
    }

    /// The segment that holds a sandbox offset, and where in it.
    fn segment_at(&self, offset: u32) -> (usize, u32) {
        let after = self
            .segments
            .partition_point(|segment| segment.offset <= offset);
        (after - 1, offset - self.segments[after - 1].offset)
    }

    fn entries(&self) -> Vec<(String, EntryOffset)> {
        let mut entries: Vec<_> = self
            .image
            .function_places()
            .map(|(name, section, offset)| {
                let start = self.layout.sections[section as usize];
                (name.to_owned(), EntryOffset(start + offset))
            })
            .collect();
        entries.sort_unstable();
        entries
    }

    fn symbols(&self) -> SymbolTable {
        let named = self
            .image
            .symbols
            .iter()
            .filter(|symbol| !symbol.name.is_empty());
        let entries = named.filter_map(|symbol| match symbol.place {
            Place::Loaded { section, offset } => {
                let start = self.layout.sections[section as usize];
                Some(symbol_table::Entry {
                    offset: start + offset,
                    section_end: start + self.image.sections[section as usize].size,
                    weak: symbol.weak,
                    name: symbol.name.clone(),
                })
            }
            _ => None,
        });
        SymbolTable::new(entries.collect())
    }
}

fn empty_segment(extent: Extent) -> Segment {
    let Extent {
        kind,
        start,
        initial_end,
        end,
    } = extent;
    let fill = if kind == SegmentKind::Text { FILL } else { 0 };
    Segment {
        offset: start,
        bytes_len: end - start,
        kind,
        initial: vec![fill; (initial_end - start) as usize],
        addresses: Vec::new(),
    }
}
