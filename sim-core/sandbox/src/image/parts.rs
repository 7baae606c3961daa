//! What a decoded object consists of: sections, symbols and relocations, all in range.

/// How a section is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SectionKind {
    Text,
    ReadOnly,
    Data,
    Bss,
}

/// A section that is loaded.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) kind: SectionKind,
    /// A power of two, at most a page.
    pub(super) align: u32,
    pub(super) size: u32,
    /// `size` bytes, or none in a section of kind `Bss`.
    pub(super) bytes: Vec<u8>,
    /// Sorted by offset, each within the section, none overlapping.
    pub(super) relocations: Vec<Relocation>,
}

/// What a relocation writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RelocationKind {
    /// `base + symbol + addend` in 64 bits; in data only.
    Absolute64,
    /// `symbol + addend - place` in 32 bits.
    Relative32,
    /// `entry of the symbol in the GOT + addend - place` in 32 bits; in code only.
    GotRelative32,
}

impl RelocationKind {
    pub(super) fn field_bytes(self) -> u32 {
        match self {
            Self::Absolute64 => 8,
            Self::Relative32 | Self::GotRelative32 => 4,
        }
    }
}

/// A change to the bytes of a section that depends on where a symbol lands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Relocation {
    pub(super) offset: u32,
    pub(super) kind: RelocationKind,
    /// Index of a symbol that is defined in a loaded section, or undefined.
    pub(super) symbol: u32,
    pub(super) addend: i64,
}

/// Where a symbol is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Undefined,
    /// In a loaded section, at an offset of at most its size.
    Loaded {
        section: u32,
        offset: u32,
    },
    /// In a section that is not loaded, or at an absolute address.
    NotLoaded,
}

/// A symbol of the object.
#[derive(Debug)]
pub(super) struct Symbol {
    /// Empty for a symbol that stands for its section.
    pub(super) name: String,
    pub(super) place: Place,
    /// Global, weak or unique: visible to other objects.
    pub(super) global: bool,
    /// Whether it is one of several definitions that a linker would merge, as headers make.
    pub(super) weak: bool,
    /// Typed as a function, or untyped (hand-written assembly seldom gives a type).
    pub(super) maybe_function: bool,
}
