//! Decodes an ELF64 relocatable object: its headers here, its tables in the modules beside.

use object::LittleEndian;
use object::elf::{self, FileHeader64, SectionHeader64};

use super::error::{DecodeError, SectionProblem};
use super::parts::{Place, Section, SectionKind, Symbol};
use super::{Limits, relocations, sections, symbols};

/// Bytes that the name of a section or symbol may have.
const NAME_BYTES_MAX: usize = 4096;

pub(super) type SectionHeader = SectionHeader64<LittleEndian>;

/// An object whose sections, symbols and relocations are in range and have a meaning here.
#[derive(Debug)]
pub struct DecodedImage {
    pub(super) sections: Vec<Section>,
    pub(super) symbols: Vec<Symbol>,
    pub(super) image_bytes_max: u32,
}

impl DecodedImage {
    /// Decodes an ELF64 relocatable object for x86-64.
    ///
    /// # Errors
    ///
    /// Says what in the object is refused, where it is, and what its author can do.
    pub fn decode(object: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        if object.len() > limits.object_bytes_max {
            return Err(DecodeError::TooLarge {
                bytes: object.len(),
                bytes_max: limits.object_bytes_max,
            });
        }
        let file = File::parse(object, limits)?;
        let (mut sections, index_of) = sections::load(&file, limits)?;
        if !sections
            .iter()
            .any(|s| s.kind == SectionKind::Text && s.size > 0)
        {
            return Err(DecodeError::NoCode);
        }
        let symbols = symbols::decode(&file, &index_of, &mut sections, limits)?;
        relocations::decode(&file, &index_of, &symbols, &mut sections, limits)?;
        Ok(Self {
            sections,
            symbols,
            image_bytes_max: limits.image_bytes_max,
        })
    }

    /// The names that must be resolved by [`DecodedImage::link`], each once, in order of name.
    pub fn undefined_symbols(&self) -> impl Iterator<Item = &str> {
        let relocations = self
            .sections
            .iter()
            .flat_map(|section| &section.relocations);
        let mut used: Vec<u32> = relocations.map(|relocation| relocation.symbol).collect();
        // Before their names, which may be long and alike.
        used.sort_unstable();
        used.dedup();
        let symbols = used.into_iter().map(|index| &self.symbols[index as usize]);
        let mut names: Vec<&str> = symbols
            .filter(|symbol| symbol.place == Place::Undefined)
            .map(|symbol| symbol.name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter()
    }

    /// The names of the global functions that the object defines.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.function_places().map(|(name, _, _)| name)
    }

    /// Name, section and offset of every global function.
    pub(super) fn function_places(&self) -> impl Iterator<Item = (&str, u32, u32)> {
        self.symbols.iter().filter_map(|symbol| match symbol.place {
            Place::Loaded { section, offset }
                if symbol.global
                    && symbol.maybe_function
                    && self.sections[section as usize].kind == SectionKind::Text =>
            {
                Some((symbol.name.as_str(), section, offset))
            }
            _ => None,
        })
    }
}

/// The file behind its section headers.
pub(super) struct File<'a> {
    object: &'a [u8],
    pub(super) headers: &'a [SectionHeader],
    section_names: &'a [u8],
}

impl<'a> File<'a> {
    fn parse(object: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        check_identity(object)?;
        let (header, _) =
            object::pod::from_bytes::<FileHeader64<LittleEndian>>(object).map_err(|()| {
                truncated(
                    object,
                    "the file header",
                    size_of::<FileHeader64<LittleEndian>>() as u64,
                )
            })?;
        check_header(header)?;
        let count = header.e_shnum.get(LittleEndian);
        if u32::from(count) > limits.sections_max {
            return Err(DecodeError::TooMany {
                what: "sections",
                count: u64::from(count),
                count_max: u64::from(limits.sections_max),
            });
        }
        let start = header.e_shoff.get(LittleEndian);
        let bytes = u64::from(count) * size_of::<SectionHeader>() as u64;
        let table = range(object, start, bytes, "the table of sections")?;
        let (headers, _) = object::pod::slice_from_bytes(table, usize::from(count))
            .map_err(|()| truncated(object, "the table of sections", start))?;
        let mut file = Self {
            object,
            headers,
            section_names: &[],
        };
        let names = usize::from(header.e_shstrndx.get(LittleEndian).0);
        match headers.get(names) {
            Some(table) if table.sh_type.get(LittleEndian) == elf::SHT_STRTAB => {
                file.section_names = file.contents(table, "the names of sections")?;
            }
            _ => return Err(header_error("e_shstrndx", names as u64)),
        }
        Ok(file)
    }

    /// The bytes of a section that has some in the file.
    pub(super) fn contents(
        &self,
        header: &SectionHeader,
        what: &'static str,
    ) -> Result<&'a [u8], DecodeError> {
        let (start, size) = (
            header.sh_offset.get(LittleEndian),
            header.sh_size.get(LittleEndian),
        );
        range(self.object, start, size, what)
    }

    /// The contents of a section as a table of `T`.
    pub(super) fn table<T: object::pod::Pod>(
        &self,
        index: usize,
        what: &'static str,
        count_max: u32,
    ) -> Result<&'a [T], DecodeError> {
        let header = &self.headers[index];
        let size = header.sh_size.get(LittleEndian);
        let entry = size_of::<T>() as u64;
        if header.sh_entsize.get(LittleEndian) != entry || !size.is_multiple_of(entry) {
            return Err(self.section_error(index, SectionProblem::Reference));
        }
        let count = size / entry;
        if count > u64::from(count_max) {
            return Err(DecodeError::TooMany {
                what,
                count,
                count_max: u64::from(count_max),
            });
        }
        let bytes = self.contents(header, what)?;
        object::pod::slice_from_all_bytes(bytes)
            .map_err(|()| self.section_error(index, SectionProblem::Reference))
    }

    pub(super) fn section_name(&self, index: usize) -> Result<&'a str, DecodeError> {
        let at = self.headers[index].sh_name.get(LittleEndian);
        name_at(self.section_names, at).ok_or_else(|| DecodeError::Section {
            name: format!("#{index}"),
            problem: SectionProblem::Name,
        })
    }

    pub(super) fn section_error(&self, index: usize, problem: SectionProblem) -> DecodeError {
        match self.section_name(index) {
            Ok(name) => DecodeError::Section {
                name: name.to_owned(),
                problem,
            },
            Err(unnamed) => unnamed,
        }
    }
}

fn header_error(field: &'static str, value: u64) -> DecodeError {
    DecodeError::Header { field, value }
}

fn truncated(object: &[u8], what: &'static str, end: u64) -> DecodeError {
    DecodeError::Truncated {
        what,
        end,
        bytes: object.len(),
    }
}

fn range<'a>(
    object: &'a [u8],
    start: u64,
    bytes: u64,
    what: &'static str,
) -> Result<&'a [u8], DecodeError> {
    let end = start.saturating_add(bytes);
    let bounds = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    bounds
        .and_then(|(start, end)| object.get(start..end))
        .ok_or(truncated(object, what, end))
}

/// The text at an offset of a string table, up to its NUL.
///
/// Names end up in messages, so what would steer a terminal or forge a line of a log is no name.
pub(super) fn name_at(strings: &[u8], at: u32) -> Option<&str> {
    let rest = strings.get(at as usize..)?;
    let window = &rest[..rest.len().min(NAME_BYTES_MAX)];
    let end = window.iter().position(|&byte| byte == 0)?;
    let name = std::str::from_utf8(&window[..end]).ok()?;
    (!name.contains(changes_the_text_around_it)).then_some(name)
}

/// Returns whether a terminal shows what surrounds a character differently because of it: control
/// characters, line separators, and marks that reverse the direction of text (Unicode annex 9).
fn changes_the_text_around_it(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        )
        || matches!(character, '\u{2066}'..='\u{2069}')
}

fn check_identity(object: &[u8]) -> Result<(), DecodeError> {
    if !object.starts_with(&elf::ELFMAG) {
        let found = match object {
            [] => "empty file",
            [b'B', b'C', 0xc0, 0xde, ..] => "LLVM bitcode, compile without -flto",
            [b'!', b'<', b'a', b'r', b'c', b'h', ..] => "an archive, extract one member",
            [b'#' | b'.' | b'\t' | b' ' | b'/' | b'a'..=b'z', ..] => "text, assemble it first",
            _ => "unknown format",
        };
        return Err(DecodeError::NotElf { found });
    }
    let identity = object
        .get(..size_of::<elf::Ident>())
        .ok_or_else(|| truncated(object, "the file header", size_of::<elf::Ident>() as u64))?;
    match identity[4] {
        class if class == elf::ELFCLASS64.0 => {}
        class if class == elf::ELFCLASS32.0 => return Err(DecodeError::Not64Bit),
        class => return Err(header_error("the class", u64::from(class))),
    }
    if identity[5] != elf::ELFDATA2LSB.0 {
        return Err(header_error("the byte order", u64::from(identity[5])));
    }
    if identity[6] != elf::EV_CURRENT.0 {
        return Err(header_error("the version", u64::from(identity[6])));
    }
    Ok(())
}

fn check_header(header: &FileHeader64<LittleEndian>) -> Result<(), DecodeError> {
    let machine = header.e_machine.get(LittleEndian);
    if machine != elf::EM_X86_64 {
        return Err(DecodeError::Machine { machine: machine.0 });
    }
    match header.e_type.get(LittleEndian) {
        elf::ET_REL => {}
        elf::ET_EXEC => {
            return Err(DecodeError::NotRelocatable {
                kind: "an executable",
            });
        }
        elf::ET_DYN => {
            let kind = "a shared library or position-independent executable";
            return Err(DecodeError::NotRelocatable { kind });
        }
        elf::ET_CORE => {
            return Err(DecodeError::NotRelocatable {
                kind: "a core dump",
            });
        }
        other => return Err(header_error("e_type", u64::from(other.0))),
    }
    let entry = header.e_shentsize.get(LittleEndian);
    if usize::from(entry) != size_of::<SectionHeader>() {
        return Err(header_error("e_shentsize", u64::from(entry)));
    }
    // Zero also stands for "65,280 sections or more", which no graft has.
    if header.e_shnum.get(LittleEndian) == 0 {
        return Err(header_error("e_shnum", 0));
    }
    Ok(())
}
