//! The languages of graft sources, told by file names.

use std::path::Path;

use crate::error::BuildError;

/// The language of a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// C.
    C,
    /// C++.
    Cxx,
    /// Rust, `no_std`.
    Rust,
    /// AT&T assembly that a compiler wrote.
    Assembly,
}

impl Language {
    /// Tells the language by the file's name, as compilers do.
    ///
    /// # Errors
    ///
    /// If the extension is none of those known.
    pub fn of(source: &Path) -> Result<Language, BuildError> {
        match source.extension().and_then(|extension| extension.to_str()) {
            Some("c") => Ok(Language::C),
            Some("C" | "cc" | "cpp" | "cxx") => Ok(Language::Cxx),
            Some("rs") => Ok(Language::Rust),
            Some("s") => Ok(Language::Assembly),
            _ => Err(BuildError::UnknownLanguage {
                source_file: source.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_told_by_the_extension() {
        let of = |name| Language::of(Path::new(name)).ok();
        assert_eq!(of("a.c"), Some(Language::C));
        assert_eq!(of("a.C"), Some(Language::Cxx));
        assert_eq!(of("a.cpp"), Some(Language::Cxx));
        assert_eq!(of("a.rs"), Some(Language::Rust));
        assert_eq!(of("a.s"), Some(Language::Assembly));
        assert_eq!(of("a.S"), None);
        assert_eq!(of("a"), None);
    }
}
