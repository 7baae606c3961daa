//! Decides which sections are loaded, and how.

use object::LittleEndian;
use object::elf;

use super::Limits;
use super::decode::{File, SectionHeader};
use super::error::{DecodeError, SectionProblem};
use super::parts::{Section, SectionKind};

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

/// Copies the sections that are loaded, and maps each section index to its index among them.
pub(super) fn load(
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
