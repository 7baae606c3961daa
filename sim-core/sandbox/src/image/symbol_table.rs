//! The names of an image's addresses, for lookups and for messages.

use std::ops::Range;

use super::demangle::demangle;

/// Bytes of a name that messages show; the rest is cut, as a reader has no use for it.
const NAME_BYTES_SHOWN_MAX: usize = 256;

/// Names and offsets of an image's symbols.
#[derive(Debug, Default)]
pub struct SymbolTable {
    /// Sorted by offset.
    entries: Vec<Entry>,
}

/// A symbol and the part of the sandbox that it may describe.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) offset: u32,
    /// End of the section that the symbol is in.
    pub(super) section_end: u32,
    /// Whether it is weak, as what headers define is.
    pub(super) weak: bool,
    /// As in the object, mangled.
    pub(super) name: String,
}

impl SymbolTable {
    pub(super) fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|a, b| (a.offset, &a.name).cmp(&(b.offset, &b.name)));
        Self { entries }
    }

    /// The mangled name of the nearest symbol at or before an offset within the same section, and
    /// how far after the symbol the offset is.
    pub fn locate(&self, offset: u32) -> Option<(&str, u32)> {
        let after = self.entries.partition_point(|entry| entry.offset <= offset);
        let entry = &self.entries[after.checked_sub(1)?];
        (offset < entry.section_end).then_some((&entry.name, offset - entry.offset))
    }

    /// Where an offset is, in words for a reader: `vas_o::pick_victim+0x12`.
    pub fn describe(&self, offset: u32) -> Option<String> {
        let (name, distance) = self.locate(offset)?;
        let name = readable(name);
        Some(if distance == 0 {
            name
        } else {
            format!("{name}+{distance:#x}")
        })
    }

    /// Whether an offset belongs to a weak symbol, as what headers define is.
    pub(crate) fn is_weak(&self, offset: u32) -> bool {
        let after = self.entries.partition_point(|entry| entry.offset <= offset);
        after
            .checked_sub(1)
            .is_some_and(|index| self.entries[index].weak)
    }

    /// From the symbol that an offset belongs to up to the next one, or to the end of its section;
    /// empty if it belongs to none.
    pub fn extent(&self, offset: u32) -> Range<u32> {
        let after = self.entries.partition_point(|entry| entry.offset <= offset);
        match after.checked_sub(1).map(|index| &self.entries[index]) {
            Some(entry) if offset < entry.section_end => {
                let next = self.entries.get(after).map_or(u32::MAX, |next| next.offset);
                entry.offset..next.min(entry.section_end)
            }
            _ => offset..offset,
        }
    }

    /// Every symbol's mangled name and offset, in order of offset.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        let entries = self.entries.iter();
        entries.map(|entry| (entry.name.as_str(), entry.offset))
    }

    /// The offset of the symbol with this mangled name.
    pub fn offset_of(&self, name: &str) -> Option<u32> {
        self.entries
            .iter()
            .find(|entry| entry.name == name)
            .map(|entry| entry.offset)
    }
}

/// A name as messages show it: demangled if it is C++, and cut if it is very long.
pub(super) fn readable(name: &str) -> String {
    let mut text = demangle(name).unwrap_or_else(|| name.to_owned());
    if text.len() > NAME_BYTES_SHOWN_MAX {
        let mut ends = (0..=NAME_BYTES_SHOWN_MAX).rev();
        text.truncate(ends.find(|&end| text.is_char_boundary(end)).unwrap_or(0));
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(offset: u32, section_end: u32, name: &str) -> Entry {
        Entry {
            offset,
            section_end,
            weak: false,
            name: name.to_owned(),
        }
    }

    #[test]
    fn an_offset_is_described_by_the_nearest_symbol_before_it_in_its_section() {
        let table = SymbolTable::new(vec![
            entry(0x200, 0x300, "second"),
            entry(0x100, 0x180, "_ZN5vas_o11pick_victimEPv"),
        ]);
        assert_eq!(table.describe(0xff), None);
        assert_eq!(table.describe(0x100).as_deref(), Some("vas_o::pick_victim"));
        assert_eq!(
            table.describe(0x112).as_deref(),
            Some("vas_o::pick_victim+0x12")
        );
        assert_eq!(table.describe(0x180), None);
        assert_eq!(table.describe(0x2ff).as_deref(), Some("second+0xff"));
        assert_eq!(table.offset_of("second"), Some(0x200));
        assert_eq!(table.offset_of("third"), None);
    }

    #[test]
    fn a_long_name_is_cut() {
        let name = "\u{e9}".repeat(NAME_BYTES_SHOWN_MAX);
        let shown = readable(&name);
        assert_eq!(
            shown,
            format!("{}...", "\u{e9}".repeat(NAME_BYTES_SHOWN_MAX / 2))
        );
        assert_eq!(readable("short"), "short");
    }
}
