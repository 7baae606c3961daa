//! Assembler directives: which are known, and which section they select.
//!
//! The list is closed: a directive that is not on it may hide instructions (`.macro`, `.include`)
//! or bytes that nobody can check, so it is refused.

use crate::diagnostic::Refusal;

/// What a section holds, as far as misfit cares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Section {
    /// Instructions.
    #[default]
    Text,
    /// Data that the graft can reach.
    Data,
    /// Debugging, unwinding and notes: never loaded, so names there are not addresses taken.
    Unloaded,
}

pub(crate) const ADVICE: &str = "give misfit compiler output, after any preprocessing";

/// The most sections saved by `.pushsection` at one time.
const SECTIONS_DEPTH_MAX: usize = 64;

/// Directives that neither place bytes nor select a section.
const PASSIVE: &[&str] = &[
    ".file",
    ".ident",
    ".globl",
    ".global",
    ".local",
    ".weak",
    ".hidden",
    ".protected",
    ".internal",
    ".type",
    ".size",
    ".loc",
    ".set",
    ".equ",
    ".addrsig",
    ".addrsig_sym",
    ".comm",
    ".lcomm",
    ".att_syntax",
    ".code64",
    ".line",
    ".weakref",
    ".symver",
    ".cv_file",
];

/// Directives that align; the assembler fills text with nops.
const ALIGNING: &[&str] = &[".align", ".p2align", ".balign"];

/// Directives that place data.
const PLACING: &[&str] = &[
    ".byte", ".2byte", ".4byte", ".8byte", ".word", ".short", ".value", ".hword", ".long", ".int",
    ".quad", ".octa", ".uleb128", ".sleb128", ".string", ".ascii", ".asciz", ".zero", ".skip",
    ".space", ".fill", ".float", ".single", ".double",
];

/// Directives that select a section.
const SELECTING: &[&str] = &[
    ".text",
    ".data",
    ".bss",
    ".section",
    ".pushsection",
    ".popsection",
    ".previous",
    ".subsection",
];

/// Whether a directive places data, so that the symbols in its arguments are addresses taken.
pub(crate) fn places_data(name: &str) -> bool {
    PLACING.contains(&name)
}

/// Whether a directive selects another section.
pub(crate) fn selects_section(name: &str) -> bool {
    SELECTING.contains(&name)
}

/// Whether a directive aligns what follows it.
pub(crate) fn aligns(name: &str) -> bool {
    ALIGNING.contains(&name)
}

/// Whether a directive places or skips bytes at the location counter.
pub(crate) fn moves_location(name: &str) -> bool {
    places_data(name) || aligns(name)
}

/// Refuses a directive that may hide code or that a graft cannot have.
pub(crate) fn check(name: &str, arguments: &str, section: Section) -> Result<(), Refusal> {
    if PASSIVE.contains(&name) || ALIGNING.contains(&name) || SELECTING.contains(&name) {
        return Ok(());
    }
    if PLACING.contains(&name) {
        return if section == Section::Text {
            Err(Refusal::new(
                "data among instructions",
                "move it to a data section, or write the instruction by its name",
            ))
        } else {
            thread_local(arguments)
        };
    }
    match name {
        ".cfi_personality" | ".cfi_lsda" => Err(Refusal::new(
            "an exception cannot unwind through a graft",
            "compile C and C++ with -fno-exceptions, Rust with -C panic=abort",
        )),
        _ if name.starts_with(".cfi_") => Ok(()),
        ".intel_syntax" => Err(Refusal::new(
            "Intel syntax",
            "compile without -masm=intel: misfit reads AT&T syntax",
        )),
        ".code16" | ".code32" => Err(Refusal::new("not 64-bit code", "compile with -m64")),
        _ => Err(Refusal::new(
            format!("directive {name} is not known to be safe"),
            ADVICE,
        )),
    }
}

fn thread_local(arguments: &str) -> Result<(), Refusal> {
    let modifiers = ["@dtpoff", "@DTPOFF", "@tpoff", "@TPOFF"];
    if modifiers
        .iter()
        .any(|modifier| arguments.contains(modifier))
    {
        return Err(no_thread_locals());
    }
    Ok(())
}

/// The refusal of everything that has to do with thread-local storage.
pub(crate) fn no_thread_locals() -> Refusal {
    Refusal::new(
        "thread-local storage",
        "a graft has one thread: make the variable static instead of thread_local",
    )
}

/// The current section, and those saved by `.pushsection` and `.previous`.
#[derive(Debug, Default)]
pub(crate) struct Sections {
    current: Section,
    previous: Section,
    saved: Vec<(Section, Section)>,
}

impl Sections {
    pub(crate) fn current(&self) -> Section {
        self.current
    }

    /// Follows a directive that selects a section.
    pub(crate) fn apply(&mut self, name: &str, arguments: &str) -> Result<(), Refusal> {
        match name {
            ".text" => self.select(Section::Text),
            ".data" | ".bss" => self.select(Section::Data),
            ".section" => self.select(section_of(arguments)?),
            ".pushsection" => {
                if self.saved.len() == SECTIONS_DEPTH_MAX {
                    return Err(Refusal::new("sections are nested too deep", ADVICE));
                }
                self.saved.push((self.current, self.previous));
                self.select(section_of(arguments)?);
            }
            ".popsection" => {
                let saved = self.saved.pop();
                (self.current, self.previous) = saved
                    .ok_or_else(|| Refusal::new(".popsection without .pushsection", ADVICE))?;
            }
            ".previous" => std::mem::swap(&mut self.current, &mut self.previous),
            _ => {}
        }
        Ok(())
    }

    /// Goes where nothing is checked, so that a refused section is refused once.
    pub(crate) fn leave(&mut self) {
        self.select(Section::Unloaded);
    }

    fn select(&mut self, next: Section) {
        self.previous = self.current;
        self.current = next;
    }
}

/// Sections that are not part of the loaded image.
const UNLOADED: &[&str] = &[
    ".debug",
    ".eh_frame",
    ".gcc_except_table",
    ".note",
    ".comment",
    ".llvm_addrsig",
    ".stab",
];

/// Sections of functions that somebody must call before `main`, which a graft does not have.
const CONSTRUCTORS: &[&str] = &[".init", ".fini", ".ctors", ".dtors", ".preinit_array"];

fn section_of(arguments: &str) -> Result<Section, Refusal> {
    let (name, flags) = arguments.split_once(',').unwrap_or((arguments, ""));
    let name = name.trim().trim_matches('"');
    let is_in = |list: &[&str]| list.iter().any(|prefix| name.starts_with(prefix));
    if is_in(CONSTRUCTORS) {
        return Err(Refusal::new(
            "a constructor or destructor of a static object never runs in a graft",
            "make the object constant-initialised (constexpr), or construct it on first use",
        ));
    }
    let flags = flags
        .trim()
        .trim_start_matches('"')
        .split('"')
        .next()
        .unwrap_or("");
    if flags.contains('T') || is_in(&[".tdata", ".tbss"]) {
        return Err(no_thread_locals());
    }
    if is_in(UNLOADED) {
        return Ok(Section::Unloaded);
    }
    if flags.contains('x') || is_in(&[".text"]) {
        if flags.contains('w') {
            return Err(Refusal::new(
                "section both writable and executable",
                "split it: text is never writable",
            ));
        }
        return Ok(Section::Text);
    }
    Ok(Section::Data)
}

#[cfg(test)]
mod tests {
    use super::{Section, Sections, check};

    #[test]
    fn sections_nest_and_return() {
        let mut sections = Sections::default();
        sections
            .apply(".section", ".rodata,\"a\",@progbits")
            .expect("known");
        assert_eq!(sections.current(), Section::Data);
        sections
            .apply(".pushsection", ".text.hot,\"ax\"")
            .expect("known");
        assert_eq!(sections.current(), Section::Text);
        sections.apply(".popsection", "").expect("pushed");
        assert_eq!(sections.current(), Section::Data);
        sections.apply(".previous", "").expect("known");
        assert_eq!(sections.current(), Section::Text);
        assert!(sections.apply(".popsection", "").is_err());
    }

    #[test]
    fn code_cannot_hide_in_directives() {
        for name in [
            ".macro", ".include", ".incbin", ".rept", ".if", ".org", ".nops", ".reloc",
        ] {
            assert!(check(name, "", Section::Data).is_err(), "{name}");
        }
        assert!(check(".byte", "0x90", Section::Text).is_err());
        assert!(check(".byte", "0x90", Section::Data).is_ok());
    }
}
