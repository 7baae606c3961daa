//! The names of an image's addresses, for lookups and for messages.

use std::fmt;

use cpp_demangle::{DemangleOptions, Symbol};

/// Bytes of a mangled name above which it is shown as it is: messages need no longer ones.
const MANGLED_BYTES_MAX: usize = 1024;
/// Bytes of a demangled name above which the mangled one is shown; substitutions in a short
/// mangled name can stand for very long text.
const DEMANGLED_BYTES_MAX: usize = 1024;

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
        let name = demangle(name);
        Some(if distance == 0 {
            name
        } else {
            format!("{name}+{distance:#x}")
        })
    }

    /// The offset of the symbol with this mangled name.
    pub fn offset_of(&self, name: &str) -> Option<u32> {
        self.entries
            .iter()
            .find(|entry| entry.name == name)
            .map(|entry| entry.offset)
    }
}

/// The C++ name without its parameters, or the name itself if it is not mangled.
fn demangle(name: &str) -> String {
    demangle_bounded(name).unwrap_or_else(|| name.to_owned())
}

fn demangle_bounded(name: &str) -> Option<String> {
    if !name.starts_with("_Z") || name.len() > MANGLED_BYTES_MAX {
        return None;
    }
    let symbol = Symbol::new(name).ok()?;
    let mut text = Bounded(String::new());
    let options = DemangleOptions::new().no_params().no_return_type();
    symbol.structured_demangle(&mut text, &options).ok()?;
    Some(text.0)
}

/// Text that refuses to grow past [`DEMANGLED_BYTES_MAX`].
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > DEMANGLED_BYTES_MAX {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(offset: u32, section_end: u32, name: &str) -> Entry {
        Entry {
            offset,
            section_end,
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
    fn a_name_that_expands_without_end_is_shown_mangled() {
        // Each S<n>_ doubles what the one before it stands for.
        let mut name = String::from("_Z1fI1aE1bIS_S_E");
        for index in 0..30_u32 {
            let digit = char::from_digit(index % 36, 36).map(|c| c.to_ascii_uppercase());
            let digit = digit.map(String::from).unwrap_or_default();
            name.push_str(&format!("1bIS{digit}_S{digit}_E"));
        }
        let shown = demangle(&name);
        assert!(shown.len() <= name.len().max(DEMANGLED_BYTES_MAX));
    }
}
