//! Relocatable objects made of random code, and changes to objects.

use object::write::{
    Object as Writer, Relocation, StandardSection, Symbol, SymbolId, SymbolSection,
};
use object::{Architecture, BinaryFormat, Endianness, RelocationFlags, SymbolFlags, SymbolKind};
use object::{Object as _, ObjectSection as _, SymbolScope, elf};

use crate::random::Random;

/// Names of the host functions, by their numbers.
pub(crate) const IMPORTS: [&str; 2] = ["ask", "tell"];
/// Bytes of data and of read-only data.
const DATA_BYTES: usize = 4096;

/// What code refers to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reference {
    Import(usize),
    Data,
    ReadOnly,
}

/// The parts of an object.
pub(crate) struct Object {
    pub(crate) text: Vec<u8>,
    /// Where in text functions start.
    pub(crate) functions: Vec<usize>,
    /// Place in text, what it refers to, addend.
    pub(crate) references: Vec<(usize, Reference, i64)>,
}

impl Object {
    pub(crate) fn new() -> Self {
        Self {
            text: Vec::new(),
            functions: Vec::new(),
            references: Vec::new(),
        }
    }

    /// The object as a file.
    pub(crate) fn to_bytes(&self, random: &mut Random) -> Vec<u8> {
        let mut file = Writer::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
        let text = file.section_id(StandardSection::Text);
        file.append_section_data(text, &self.text, 16);
        let [data, read_only] =
            [StandardSection::Data, StandardSection::ReadOnlyData].map(|section| {
                let section = file.section_id(section);
                let bytes: Vec<u8> = (0..DATA_BYTES / 8)
                    .flat_map(|_| random.next().to_le_bytes())
                    .collect();
                file.append_section_data(section, &bytes, 64);
                section
            });
        let mut symbol = |name: &str, place: usize, section: Option<_>, kind: SymbolKind| {
            let scope = if section.is_some() {
                SymbolScope::Dynamic
            } else {
                SymbolScope::Unknown
            };
            file.add_symbol(Symbol {
                name: name.as_bytes().to_vec(),
                value: place as u64,
                size: 0,
                kind,
                scope,
                weak: false,
                section: section.map_or(SymbolSection::Undefined, SymbolSection::Section),
                flags: SymbolFlags::None,
            })
        };
        for (index, &place) in self.functions.iter().enumerate() {
            symbol(&format!("f{index}"), place, Some(text), SymbolKind::Text);
        }
        let data = symbol("data", 0, Some(data), SymbolKind::Data);
        let read_only = symbol("read_only", 0, Some(read_only), SymbolKind::Data);
        let imports: Vec<SymbolId> = IMPORTS
            .iter()
            .map(|name| symbol(name, 0, None, SymbolKind::Text))
            .collect();
        for &(offset, reference, addend) in &self.references {
            let (symbol, r_type) = match reference {
                Reference::Import(import) => (imports[import], elf::R_X86_64_PLT32),
                Reference::Data => (data, elf::R_X86_64_PC32),
                Reference::ReadOnly => (read_only, elf::R_X86_64_PC32),
            };
            let relocation = Relocation {
                offset: offset as u64,
                symbol,
                addend,
                flags: RelocationFlags::Elf { r_type },
            };
            file.add_relocation(text, relocation)
                .expect("a relocation that ELF knows");
        }
        file.write().expect("a small object")
    }
}

/// The part of an object's file that a change is aimed at.
#[derive(Clone, Copy)]
pub(crate) enum Aim {
    Text,
    Relocations,
    Anywhere,
}

/// Changes one to three bytes of an object's file.
pub(crate) fn mutate(file: &mut [u8], aim: Aim, random: &mut Random) {
    let range = match aim {
        Aim::Text => section(file, ".text"),
        Aim::Relocations => section(file, ".rela.text"),
        Aim::Anywhere => None,
    };
    let (start, len) = range.filter(|(_, len)| *len > 0).unwrap_or((0, file.len()));
    for _ in 0..random.pick(&[1, 1, 1, 2, 3]) {
        let at = start + random.below(len);
        file[at] = match random.below(3) {
            0 => file[at] ^ 1 << random.below(8),
            1 => file[start + random.below(len)],
            _ => random.next().to_le_bytes()[0],
        };
    }
}

fn section(file: &[u8], name: &str) -> Option<(usize, usize)> {
    let parsed = object::File::parse(file).ok()?;
    let (start, len) = parsed.section_by_name(name)?.file_range()?;
    Some((usize::try_from(start).ok()?, usize::try_from(len).ok()?))
}
