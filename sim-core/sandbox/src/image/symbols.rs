//! Decodes the symbol table.

use object::LittleEndian;
use object::elf::{self, Sym64};

use super::Limits;
use super::decode::{File, name_at};
use super::error::{DecodeError, SectionProblem, SymbolProblem};
use super::parts::{Place, Section, SectionKind, Symbol};
use super::sections::SECTION_ALIGN_MAX;

/// The section that holds what the object declares as common blocks.
const COMMON_SECTION: &str = "COMMON";

/// Decodes the symbols; common blocks become a section of their own.
pub(super) fn decode(
    file: &File<'_>,
    index_of: &[Option<u32>],
    sections: &mut Vec<Section>,
    limits: &Limits,
) -> Result<Vec<Symbol>, DecodeError> {
    let Some(table) = find_table(file)? else {
        return Ok(Vec::new());
    };
    let strings_index = file.headers[table].sh_link.get(LittleEndian) as usize;
    let strings = match file.headers.get(strings_index) {
        Some(header) if header.sh_type.get(LittleEndian) == elf::SHT_STRTAB => {
            file.contents(header, "the names of symbols")?
        }
        _ => return Err(file.section_error(table, SectionProblem::Reference)),
    };
    let entries = file.table::<Sym64<LittleEndian>>(table, "symbols", limits.symbols_max)?;
    let mut decoder = Decoder {
        index_of,
        sections,
        strings,
        limits,
        name_bytes: 0,
        common: None,
    };
    let symbols = entries
        .iter()
        .enumerate()
        .map(|(index, entry)| decoder.symbol(index, entry))
        .collect::<Result<Vec<_>, _>>()?;
    check_defined_once(&symbols)?;
    Ok(symbols)
}

/// The index of the one symbol table.
pub(super) fn find_table(file: &File<'_>) -> Result<Option<usize>, DecodeError> {
    let mut found = None;
    for (index, header) in file.headers.iter().enumerate() {
        if header.sh_type.get(LittleEndian) == elf::SHT_SYMTAB && found.replace(index).is_some() {
            return Err(file.section_error(index, SectionProblem::Reference));
        }
    }
    Ok(found)
}

struct Decoder<'a> {
    index_of: &'a [Option<u32>],
    sections: &'a mut Vec<Section>,
    strings: &'a [u8],
    limits: &'a Limits,
    /// Bytes of all names so far: many symbols may share one long name.
    name_bytes: usize,
    /// Index of the section for common blocks, once there is one.
    common: Option<usize>,
}

impl Decoder<'_> {
    fn symbol(&mut self, index: usize, entry: &Sym64<LittleEndian>) -> Result<Symbol, DecodeError> {
        let unnamed = |problem| DecodeError::Symbol {
            name: format!("#{index}"),
            problem,
        };
        let name = name_at(self.strings, entry.st_name.get(LittleEndian))
            .ok_or_else(|| unnamed(SymbolProblem::Name))?;
        self.name_bytes += name.len();
        if self.name_bytes > self.limits.object_bytes_max {
            return Err(DecodeError::TooMany {
                what: "bytes in names of symbols",
                count: self.name_bytes as u64,
                count_max: self.limits.object_bytes_max as u64,
            });
        }
        let fail = |problem| DecodeError::Symbol {
            name: name.to_owned(),
            problem,
        };
        let kind = entry.st_type();
        match kind {
            elf::STT_TLS => return Err(fail(SymbolProblem::ThreadLocal)),
            elf::STT_GNU_IFUNC => return Err(fail(SymbolProblem::IndirectFunction)),
            _ => {}
        }
        let global = match entry.st_bind() {
            elf::STB_LOCAL => false,
            elf::STB_GLOBAL | elf::STB_WEAK | elf::STB_GNU_UNIQUE => true,
            _ => return Err(fail(SymbolProblem::Binding)),
        };
        let place = if kind == elf::STT_FILE || index == 0 {
            Place::NotLoaded
        } else {
            self.place(entry).map_err(fail)?
        };
        Ok(Symbol {
            name: if kind == elf::STT_SECTION {
                String::new()
            } else {
                name.to_owned()
            },
            place,
            global,
            weak: entry.st_bind() == elf::STB_WEAK,
            maybe_function: kind == elf::STT_FUNC || kind == elf::STT_NOTYPE,
        })
    }

    fn place(&mut self, entry: &Sym64<LittleEndian>) -> Result<Place, SymbolProblem> {
        let section = match entry.st_shndx.get(LittleEndian) {
            elf::SHN_UNDEF => return Ok(Place::Undefined),
            elf::SHN_ABS => return Ok(Place::NotLoaded),
            elf::SHN_COMMON => return self.common(entry),
            section if section.is_reserved() => {
                return Err(SymbolProblem::SectionIndex(section.0));
            }
            section => match self.index_of.get(usize::from(section.0)) {
                Some(Some(loaded)) => *loaded,
                Some(None) => return Ok(Place::NotLoaded),
                None => return Err(SymbolProblem::SectionIndex(section.0)),
            },
        };
        let size = self.sections[section as usize].size;
        match u32::try_from(entry.st_value.get(LittleEndian)) {
            Ok(offset) if offset <= size => Ok(Place::Loaded { section, offset }),
            _ => Err(SymbolProblem::Value),
        }
    }

    /// Gives a common block its place.
    fn common(&mut self, entry: &Sym64<LittleEndian>) -> Result<Place, SymbolProblem> {
        let align = entry.st_value.get(LittleEndian).max(1);
        if !align.is_power_of_two() || align > SECTION_ALIGN_MAX {
            return Err(SymbolProblem::Common);
        }
        let index = *self.common.get_or_insert_with(|| {
            self.sections.push(Section {
                name: COMMON_SECTION.to_owned(),
                kind: SectionKind::Bss,
                align: 1,
                size: 0,
                bytes: Vec::new(),
                relocations: Vec::new(),
            });
            self.sections.len() - 1
        });
        let section = &mut self.sections[index];
        let offset = u64::from(section.size).next_multiple_of(align);
        let end = offset.saturating_add(entry.st_size.get(LittleEndian));
        if end > u64::from(self.limits.image_bytes_max) {
            return Err(SymbolProblem::Common);
        }
        let narrow = |value: u64| u32::try_from(value).map_err(|_| SymbolProblem::Common);
        section.size = narrow(end)?;
        section.align = section.align.max(narrow(align)?);
        let section = u32::try_from(index).map_err(|_| SymbolProblem::Common)?;
        Ok(Place::Loaded {
            section,
            offset: narrow(offset)?,
        })
    }
}

/// Each global name has one definition, so that looking one up has one answer.
fn check_defined_once(symbols: &[Symbol]) -> Result<(), DecodeError> {
    let mut names: Vec<&str> = symbols
        .iter()
        .filter(|symbol| symbol.global && matches!(symbol.place, Place::Loaded { .. }))
        .map(|symbol| symbol.name.as_str())
        .collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(()),
        Some(pair) => Err(DecodeError::Symbol {
            name: pair[0].to_owned(),
            problem: SymbolProblem::DefinedTwice,
        }),
    }
}
