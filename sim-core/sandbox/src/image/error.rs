//! Why an object cannot become an image: what is wrong, where, and what its author can do.

use super::symbol_table::readable;

/// Names that a message lists.
const NAMES_SHOWN_MAX: usize = 16;

/// Names for a message, of which a hostile object may have very many.
fn list(names: &[String]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(NAMES_SHOWN_MAX)
        .map(|name| readable(name))
        .collect();
    let shown_text = shown.join(", ");
    match names.len() - shown.len() {
        0 => shown_text,
        more => format!("{shown_text} and {more} more"),
    }
}

/// Why an object cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The file is larger than the host accepts.
    #[error(
        "object is {bytes} bytes, over the size limit of {bytes_max}: strip its debug \
         information (strip -g), or split it"
    )]
    TooLarge {
        /// Size of the object.
        bytes: usize,
        /// The limit it exceeds.
        bytes_max: usize,
    },
    /// The file is something else.
    #[error("not an ELF object ({found}): pass the .o file that the assembler wrote")]
    NotElf {
        /// What the first bytes look like.
        found: &'static str,
    },
    /// The file ends before what its headers promise.
    #[error("truncated object: {what} should end at byte {end} of {bytes}: assemble it again")]
    Truncated {
        /// What lies past the end.
        what: &'static str,
        /// Where that should end.
        end: u64,
        /// Bytes that the object has.
        bytes: usize,
    },
    /// The object is for 32-bit code.
    #[error("32-bit object: compile and assemble with -m64")]
    Not64Bit,
    /// The object is for another processor.
    #[error("object for machine {machine}, not x86-64: compile it on or for x86-64")]
    Machine {
        /// The `e_machine` field.
        machine: u16,
    },
    /// The object has been linked.
    #[error("{kind}, not a relocatable object: compile with -c and do not link it")]
    NotRelocatable {
        /// What it is instead.
        kind: &'static str,
    },
    /// A header field has a value that no assembler writes.
    #[error("damaged object: {field} is {value:#x}: assemble it again")]
    Header {
        /// Name of the field.
        field: &'static str,
        /// What it holds.
        value: u64,
    },
    /// A table has more entries than the host accepts.
    #[error("object has {count} {what}, the limit is {count_max}: split the object")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        count: u64,
        /// How many there may be.
        count_max: u64,
    },
    /// No section holds instructions.
    #[error("object has no code: it has no executable section with contents")]
    NoCode,
    /// One section cannot be loaded.
    #[error("section {name}: {problem}")]
    Section {
        /// Name of the section, or its index when the name cannot be read.
        name: String,
        /// What is wrong with it.
        problem: SectionProblem,
    },
    /// One symbol cannot be used.
    #[error("symbol {name}: {problem}")]
    Symbol {
        /// Name of the symbol, or its index when the name cannot be read.
        name: String,
        /// What is wrong with it.
        problem: SymbolProblem,
    },
    /// One relocation cannot be applied.
    #[error("relocation of {section}+{offset:#x}: {problem}")]
    Relocation {
        /// The section that it changes.
        section: String,
        /// Where in that section.
        offset: u64,
        /// What is wrong with it.
        problem: RelocationProblem,
    },
}

/// What keeps a section from being loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SectionProblem {
    /// Both writable and executable.
    #[error("is writable and executable: keep code and data in separate sections")]
    WritableAndExecutable,
    /// Thread-local data.
    #[error("holds thread-local data: a graft has no threads, use ordinary variables")]
    ThreadLocal,
    /// Compressed contents that would be loaded.
    #[error("is compressed: assemble with --nocompress-debug-sections")]
    Compressed,
    /// Constructors or destructors.
    #[error(
        "holds constructors: nothing runs them, initialise globals with constants \
         (constexpr in C++)"
    )]
    Constructors,
    /// Executable without contents.
    #[error("is executable and has no contents: code must be in the object")]
    CodeWithoutContents,
    /// The alignment is not a power of two up to a page.
    #[error("its alignment is not a power of two of at most 4096 bytes")]
    Alignment,
    /// It overlaps another section in the file.
    #[error("overlaps another section in the file: assemble it again")]
    Overlap,
    /// A type that should not be loaded.
    #[error("has a type that cannot be loaded: only code, data and bss can")]
    Type,
    /// Relocations without addends.
    #[error("has relocations without addends (REL): assemble for x86-64 ELF")]
    RelocationsWithoutAddends,
    /// `sh_link`, `sh_info` or `sh_entsize` do not fit its type.
    #[error("its link, info or entry size field is damaged: assemble it again")]
    Reference,
    /// Too large to be part of an image.
    #[error("is larger than an image may be: use less static data")]
    Size,
    /// The name is not text.
    #[error("its name is not valid: assemble it again")]
    Name,
}

/// What keeps a symbol from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SymbolProblem {
    /// Thread-local.
    #[error("is thread-local: a graft has no threads, use an ordinary variable")]
    ThreadLocal,
    /// Resolved by running code at load.
    #[error("is an indirect function (ifunc): nothing resolves it, define it directly")]
    IndirectFunction,
    /// Its section index does not exist or needs an extended table.
    #[error("its section index {0:#x} does not exist: assemble it again")]
    SectionIndex(u16),
    /// Its value lies outside its section.
    #[error("its value lies outside its section: assemble it again")]
    Value,
    /// Its binding is not local, global, weak or unique.
    #[error("its binding is unknown: assemble it again")]
    Binding,
    /// A common symbol with a bad alignment or size.
    #[error("its common block has a bad alignment or size: compile with -fno-common")]
    Common,
    /// Two definitions of one global name.
    #[error("is defined twice: keep one definition")]
    DefinedTwice,
    /// The name is not text, or has no end.
    #[error("its name is not valid: assemble it again")]
    Name,
}

/// What keeps a relocation from being applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelocationProblem {
    /// A 32-bit absolute address, which position-dependent code holds.
    #[error("32-bit absolute address of {symbol}: compile with -fPIC")]
    Absolute32 {
        /// The symbol that is addressed.
        symbol: String,
    },
    /// An absolute address within instructions.
    #[error("absolute address of {symbol} in code: compile with -fPIC and without -mcmodel=large")]
    AbsoluteInCode {
        /// The symbol that is addressed.
        symbol: String,
    },
    /// A thread-local access.
    #[error("thread-local access to {symbol}: a graft has no threads, use an ordinary variable")]
    ThreadLocal {
        /// The symbol that is accessed.
        symbol: String,
    },
    /// A type that is not supported in this kind of section.
    #[error("type {number} is not supported here: compile with -fPIC and the small code model")]
    Type {
        /// The number of the type in the x86-64 ELF ABI.
        number: u32,
    },
    /// It changes bytes outside its section.
    #[error("lies outside its section: assemble it again")]
    Offset,
    /// It changes bytes that another relocation changes.
    #[error("overlaps another relocation: assemble it again")]
    Overlap,
    /// Its symbol does not exist.
    #[error("its symbol index {index} does not exist: assemble it again")]
    SymbolIndex {
        /// The index.
        index: u32,
    },
    /// Its symbol is in a section that is not loaded, or has no address in the sandbox.
    #[error("refers to {symbol}, which is not part of the loaded image")]
    NotLoaded {
        /// The symbol.
        symbol: String,
    },
    /// It changes a section that has no bytes.
    #[error("changes a section without contents: assemble it again")]
    NoContents,
}

/// Why a decoded object cannot be linked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Names that nothing offered to the graft defines; all of them.
    #[error(
        "undefined {}: {}: define {}, or call only functions that a graft may call",
        if .names.len() == 1 { "symbol" } else { "symbols" },
        list(.names),
        if .names.len() == 1 { "it" } else { "them" }
    )]
    Undefined {
        /// The names as they stand in the object.
        names: Vec<String>,
    },
    /// The image does not fit.
    #[error("image needs {bytes} bytes, the limit is {bytes_max}: use less static data")]
    TooLarge {
        /// Bytes that it needs.
        bytes: u64,
        /// Bytes that it may have.
        bytes_max: u64,
    },
    /// The value of a relocation does not fit its field.
    #[error(
        "relocation of {section}+{offset:#x}: the address of {symbol} plus its addend does not \
         fit: check the offset that is added to the symbol"
    )]
    Overflow {
        /// The section that would be changed.
        section: String,
        /// Where in that section.
        offset: u32,
        /// The symbol that is addressed.
        symbol: String,
    },
}
