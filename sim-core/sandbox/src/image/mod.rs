//! From the untrusted bytes of a relocatable object to an image that can be placed in a sandbox.
//!
//! ```text
//!  &[u8] --decode--> DecodedImage --link--> LinkedImage --place--> bytes of its segments
//!          (ELF64 .o)             (imports, layout)      (relocated for one base)
//! ```
//!
//! Each arrow is the only constructor of what stands to its right. Decoding copies all that is
//! kept out of the object, so the caller's buffer is read once and never again. Every count and
//! size is checked against [`Limits`] before anything is allocated for it, and the work is linear
//! in the size of the object but for sorting its tables.
//!
//! Nothing here is trusted for safety: `crate::verify` judges the final bytes, whatever a hostile
//! object made of its sections, symbols and relocations. What is refused here is refused because
//! its meaning would be unclear, or because the author needs to hear it in better words.

mod decode;
mod demangle;
mod error;
mod layout;
mod link;
mod parts;
mod relocations;
mod sections;
mod segment;
mod symbol_table;
mod symbols;

pub use decode::DecodedImage;
pub use demangle::demangle;
pub use error::{DecodeError, LinkError, RelocationProblem, SectionProblem, SymbolProblem};
pub use link::{EntryOffset, LinkedImage};
pub(crate) use segment::AddressWord;
pub use segment::{Segment, SegmentKind};
pub use symbol_table::SymbolTable;

/// The most that an object may hold, so that a hostile one costs bounded time and memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the object file.
    pub object_bytes_max: usize,
    /// Section headers.
    pub sections_max: u32,
    /// Entries of the symbol table.
    pub symbols_max: u32,
    /// Relocations of all sections that are loaded, together.
    pub relocations_max: u32,
    /// Bytes of the laid-out image, padding included.
    pub image_bytes_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            object_bytes_max: 16 << 20,
            sections_max: 16 << 10,
            symbols_max: 64 << 10,
            relocations_max: 256 << 10,
            image_bytes_max: 64 << 20,
        }
    }
}
