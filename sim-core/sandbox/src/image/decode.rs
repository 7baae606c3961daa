//! Decodes the headers and sections of an ELF64 relocatable object.

use object::LittleEndian;
use object::elf::{self, FileHeader64, SectionHeader64};

use super::error::{DecodeError, SectionProblem};
use super::parts::{Place, Section, SectionKind, Symbol};
use super::{Limits, relocations, symbols};

/// Bytes that the name of a section or symbol may have.
pub(super) const NAME_BYTES_MAX: usize = 4096;
/// The largest alignment of a section, in bytes: the smallest unit of memory protection.
pub(super) const SECTION_ALIGN_MAX: u64 = vino_abi::PAGE_BYTES;

/// Sections that are allocated but serve only unwinding, which nothing in a sandbox does.
const UNWIND_SECTIONS: [&str; 2] = [".eh_frame", ".gcc_except_table"];
/// Sections whose functions a loader would be expected to call.
const CONSTRUCTOR_SECTIONS: [&str; 5] = [
    ".init_array",
    ".fini_array",
    ".preinit_array",
    ".ctors",
    ".dtors",
];
/// Written only by relocation, so read-only once it has been placed.
const RELOCATED_READ_ONLY: &str = ".data.rel.ro";

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
        let (mut sections, index_of) = load_sections(&file, limits)?;
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
        let mut names: Vec<&str> = self
            .sections
            .iter()
            .flat_map(|section| &section.relocations)
            .map(|relocation| &self.symbols[relocation.symbol as usize])
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
        if header.sh_entsize.get(LittleEndian) != entry || size % entry != 0 {
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
pub(super) fn name_at(strings: &[u8], at: u32) -> Option<&str> {
    let rest = strings.get(at as usize..)?;
    let window = &rest[..rest.len().min(NAME_BYTES_MAX)];
    let end = window.iter().position(|&byte| byte == 0)?;
    std::str::from_utf8(&window[..end]).ok()
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

/// Copies the sections that are loaded, and maps each section index to its index among them.
fn load_sections(
    file: &File<'_>,
    limits: &Limits,
) -> Result<(Vec<Section>, Vec<Option<u32>>), DecodeError> {
    check_overlaps(file)?;
    let mut sections = Vec::new();
    let mut index_of = vec![None; file.headers.len()];
    for (index, header) in file.headers.iter().enumerate() {
        let name = file.section_name(index)?;
        let fail = |problem| Err(file.section_error(index, problem));
        let kind = match classify(name, header) {
            Ok(Some(kind)) => kind,
            Ok(None) => continue,
            Err(problem) => return fail(problem),
        };
        let align = header.sh_addralign.get(LittleEndian).max(1);
        if !align.is_power_of_two() || align > SECTION_ALIGN_MAX {
            return fail(SectionProblem::Alignment);
        }
        let size = header.sh_size.get(LittleEndian);
        let (Ok(align), Ok(size)) = (u32::try_from(align), u32::try_from(size)) else {
            return fail(SectionProblem::Size);
        };
        if size > limits.image_bytes_max {
            return fail(SectionProblem::Size);
        }
        let bytes = match kind {
            SectionKind::Bss => Vec::new(),
            _ => file.contents(header, "a section")?.to_vec(),
        };
        index_of[index] = u32::try_from(sections.len()).ok();
        let name = name.to_owned();
        sections.push(Section {
            name,
            kind,
            align,
            size,
            bytes,
            relocations: Vec::new(),
        });
    }
    Ok((sections, index_of))
}

/// How a section is loaded, or `None` if it is not.
fn classify(name: &str, header: &SectionHeader) -> Result<Option<SectionKind>, SectionProblem> {
    let flags = header.sh_flags.get(LittleEndian);
    let has = |flag: elf::SectionFlags| flags & flag == flag;
    if !has(elf::SHF_ALLOC) {
        return Ok(None);
    }
    let constructors = CONSTRUCTOR_SECTIONS
        .iter()
        .any(|prefix| name.starts_with(prefix));
    let no_contents = match header.sh_type.get(LittleEndian) {
        elf::SHT_NOTE | elf::SHT_X86_64_UNWIND => return Ok(None),
        elf::SHT_INIT_ARRAY | elf::SHT_FINI_ARRAY | elf::SHT_PREINIT_ARRAY => {
            return Err(SectionProblem::Constructors);
        }
        elf::SHT_PROGBITS => false,
        elf::SHT_NOBITS => true,
        _ => return Err(SectionProblem::Type),
    };
    if constructors {
        return Err(SectionProblem::Constructors);
    }
    if has(elf::SHF_TLS) {
        return Err(SectionProblem::ThreadLocal);
    }
    if has(elf::SHF_COMPRESSED) {
        return Err(SectionProblem::Compressed);
    }
    let unwind = UNWIND_SECTIONS.iter().any(|section| {
        name.strip_prefix(section)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    match (has(elf::SHF_EXECINSTR), has(elf::SHF_WRITE)) {
        (true, true) => Err(SectionProblem::WritableAndExecutable),
        (true, false) if no_contents => Err(SectionProblem::CodeWithoutContents),
        (true, false) => Ok(Some(SectionKind::Text)),
        (false, _) if unwind => Ok(None),
        (false, _) if no_contents => Ok(Some(SectionKind::Bss)),
        (false, true) if !name.starts_with(RELOCATED_READ_ONLY) => Ok(Some(SectionKind::Data)),
        (false, _) => Ok(Some(SectionKind::ReadOnly)),
    }
}

/// No byte of the file may belong to two sections, so that copying them costs no more than it.
fn check_overlaps(file: &File<'_>) -> Result<(), DecodeError> {
    let mut extents: Vec<(u64, u64, usize)> = file
        .headers
        .iter()
        .enumerate()
        .filter(|(_, header)| {
            let kind = header.sh_type.get(LittleEndian);
            kind != elf::SHT_NOBITS && kind != elf::SHT_NULL && header.sh_size.get(LittleEndian) > 0
        })
        .map(|(index, header)| {
            let start = header.sh_offset.get(LittleEndian);
            (
                start,
                start.saturating_add(header.sh_size.get(LittleEndian)),
                index,
            )
        })
        .collect();
    extents.sort_unstable();
    for pair in extents.windows(2) {
        if pair[1].0 < pair[0].1 {
            return Err(file.section_error(pair[1].2, SectionProblem::Overlap));
        }
    }
    Ok(())
}
