//! Decodes the relocations of loaded sections.

use object::LittleEndian;
use object::elf::{self, Rela64, RelocationType};

use super::Limits;
use super::decode::File;
use super::error::{DecodeError, RelocationProblem, SectionProblem};
use super::parts::{Place, Relocation, RelocationKind, Section, SectionKind, Symbol};

/// Decodes every relocation of every loaded section into that section.
pub(super) fn decode(
    file: &File<'_>,
    index_of: &[Option<u32>],
    symbols: &[Symbol],
    sections: &mut [Section],
    limits: &Limits,
) -> Result<(), DecodeError> {
    let symbol_table = super::symbols::find_table(file)?;
    let mut remaining = limits.relocations_max;
    for (index, header) in file.headers.iter().enumerate() {
        let kind = header.sh_type.get(LittleEndian);
        if kind != elf::SHT_RELA && kind != elf::SHT_REL {
            continue;
        }
        let target = match index_of.get(header.sh_info.get(LittleEndian) as usize) {
            Some(Some(target)) => *target as usize,
            Some(None) => continue,
            None => return Err(file.section_error(index, SectionProblem::Reference)),
        };
        if kind == elf::SHT_REL {
            let problem = SectionProblem::RelocationsWithoutAddends;
            return Err(file.section_error(index, problem));
        }
        if symbol_table != Some(header.sh_link.get(LittleEndian) as usize) {
            return Err(file.section_error(index, SectionProblem::Reference));
        }
        let entries = file.table::<Rela64<LittleEndian>>(index, "relocations", remaining)?;
        // The table holds at most `remaining` entries.
        remaining = remaining.saturating_sub(u32::try_from(entries.len()).unwrap_or(u32::MAX));
        let section = &mut sections[target];
        for entry in entries {
            let decoded = relocation(entry, section, symbols)
                .map_err(|problem| located(section, entry.r_offset.get(LittleEndian), problem))?;
            section.relocations.extend(decoded);
        }
    }
    sections.iter_mut().try_for_each(sort)
}

fn located(section: &Section, offset: u64, problem: RelocationProblem) -> DecodeError {
    DecodeError::Relocation {
        section: section.name.clone(),
        offset,
        problem,
    }
}

/// Sorts the relocations of a section by offset; no two may change the same byte.
fn sort(section: &mut Section) -> Result<(), DecodeError> {
    section
        .relocations
        .sort_unstable_by_key(|relocation| relocation.offset);
    let overlap = section
        .relocations
        .windows(2)
        .find(|pair| pair[1].offset - pair[0].offset < pair[0].kind.field_bytes());
    match overlap {
        None => Ok(()),
        Some(pair) => Err(located(
            section,
            u64::from(pair[1].offset),
            RelocationProblem::Overlap,
        )),
    }
}

/// Decodes one relocation, `None` if it changes nothing.
fn relocation(
    entry: &Rela64<LittleEndian>,
    section: &Section,
    symbols: &[Symbol],
) -> Result<Option<Relocation>, RelocationProblem> {
    let number = entry.r_type(LittleEndian, false);
    if number == elf::R_X86_64_NONE {
        return Ok(None);
    }
    let index = entry.r_sym(LittleEndian, false);
    let symbol = symbols
        .get(index as usize)
        .ok_or(RelocationProblem::SymbolIndex { index })?;
    let name = || match symbol.name.as_str() {
        "" => format!("symbol #{index}"),
        name => name.to_owned(),
    };
    let kind = kind_of(number, section.kind, name)?;
    if symbol.place == Place::NotLoaded
        || (symbol.place == Place::Undefined && symbol.name.is_empty())
    {
        return Err(RelocationProblem::NotLoaded { symbol: name() });
    }
    if section.kind == SectionKind::Bss {
        return Err(RelocationProblem::NoContents);
    }
    let offset = entry.r_offset.get(LittleEndian);
    if offset.saturating_add(u64::from(kind.field_bytes())) > u64::from(section.size) {
        return Err(RelocationProblem::Offset);
    }
    let offset = u32::try_from(offset).map_err(|_| RelocationProblem::Offset)?;
    let addend = entry.r_addend.get(LittleEndian);
    Ok(Some(Relocation {
        offset,
        kind,
        symbol: index,
        addend,
    }))
}

/// What a type of relocation writes, if it is supported in this kind of section.
fn kind_of(
    number: RelocationType,
    section: SectionKind,
    name: impl Fn() -> String,
) -> Result<RelocationKind, RelocationProblem> {
    let code = section == SectionKind::Text;
    match number {
        elf::R_X86_64_PC32 => Ok(RelocationKind::Relative32),
        elf::R_X86_64_PLT32 if code => Ok(RelocationKind::Relative32),
        elf::R_X86_64_GOTPCREL | elf::R_X86_64_GOTPCRELX | elf::R_X86_64_REX_GOTPCRELX if code => {
            Ok(RelocationKind::GotRelative32)
        }
        elf::R_X86_64_64 if !code => Ok(RelocationKind::Absolute64),
        elf::R_X86_64_64 => Err(RelocationProblem::AbsoluteInCode { symbol: name() }),
        elf::R_X86_64_32 | elf::R_X86_64_32S => {
            Err(RelocationProblem::Absolute32 { symbol: name() })
        }
        elf::R_X86_64_DTPMOD64
        | elf::R_X86_64_DTPOFF64
        | elf::R_X86_64_TPOFF64
        | elf::R_X86_64_TLSGD
        | elf::R_X86_64_TLSLD
        | elf::R_X86_64_DTPOFF32
        | elf::R_X86_64_GOTTPOFF
        | elf::R_X86_64_TPOFF32
        | elf::R_X86_64_GOTPC32_TLSDESC
        | elf::R_X86_64_TLSDESC_CALL
        | elf::R_X86_64_TLSDESC
        | elf::R_X86_64_CODE_4_GOTTPOFF
        | elf::R_X86_64_CODE_4_GOTPC32_TLSDESC
        | elf::R_X86_64_CODE_5_GOTTPOFF
        | elf::R_X86_64_CODE_5_GOTPC32_TLSDESC
        | elf::R_X86_64_CODE_6_GOTTPOFF
        | elf::R_X86_64_CODE_6_GOTPC32_TLSDESC => {
            Err(RelocationProblem::ThreadLocal { symbol: name() })
        }
        other => Err(RelocationProblem::Type { number: other.0 }),
    }
}
