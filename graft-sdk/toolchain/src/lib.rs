//! From sources in C, C++, Rust or assembly to one graft object, with the runtime it needs.
//!
//! ```text
//! a.c  --gcc -S-->    a.s --misfit--> a.misfit --as--> a.o --+
//! b.C  --g++ -S-->    b.s --misfit--> b.misfit --as--> b.o --+--ld -r--> graft.o
//! c.rs --rustc-->     c.s --misfit--> c.misfit --as--> c.o --+
//!      parts of the runtime for what is still undefined  ----+
//! ```
//!
//! The compilers and binutils are the user's; [`misfit`] is a library of ours; the headers, the
//! sources of the runtime and the Rust crate of the SDK are carried in this crate ([`sdk`]), so
//! that building needs no installed SDK. Nothing here is trusted: the verifier judges the object,
//! not how it was made.
//!
//! [`build`] does it all for a [`Recipe`]. A [`Workshop`] does each step on its own, for those who
//! bring objects or flags of their own: tests, benchmarks.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod command;
mod compiler;
mod error;
mod language;
mod place;
mod runtime;
pub mod sdk;
mod symbols;
mod workshop;

pub use compiler::{Compiler, Family};
pub use error::{BuildError, Refused};
pub use language::Language;
pub use workshop::{Linked, Workshop};

use std::path::{Path, PathBuf};

/// What to build, and how.
#[derive(Clone, Copy, Debug)]
pub struct Recipe<'a> {
    /// The source files; the languages may be mixed.
    pub sources: &'a [PathBuf],
    /// Command of the compiler, when neither the environment's nor the usual one is wanted.
    pub compiler: Option<&'a str>,
    /// Further flags, which override the SDK's: for rustc if all sources are Rust, else for the
    /// compilers of C and C++, as the two have none in common.
    pub compiler_flags: &'a [String],
    /// What `misfit` inserts.
    pub protections: &'a misfit::Options,
    /// A folder in which each source's assembly before (`.s`) and after (`.misfit`) `misfit` stays.
    pub temps_folder: Option<&'a Path>,
}

/// What a build made.
#[derive(Clone, Debug)]
pub struct Built {
    /// The compilers' commands, without flags, each once; none for assembly.
    pub compilers: Vec<String>,
    /// The object.
    pub object: Vec<u8>,
    /// The parts of the runtime that went in, sorted.
    pub runtime_parts: Vec<&'static str>,
}

/// Builds one object from all sources of a recipe.
///
/// # Errors
///
/// Says which tool failed on which source, or which lines cannot be made safe.
pub fn build(recipe: &Recipe<'_>) -> Result<Built, BuildError> {
    if recipe.temps_folder.is_some() {
        check_temps(recipe.sources)?;
    }
    let mut workshop = Workshop::new()?;
    let mut compilers = Vec::new();
    let mut objects = Vec::new();
    let languages = recipe.sources.iter().map(|source| Language::of(source));
    let languages = languages.collect::<Result<Vec<_>, _>>()?;
    let all_rust = languages.iter().all(|known| *known == Language::Rust);
    for (source, language) in recipe.sources.iter().zip(languages) {
        let compiler = Compiler::choose(language, recipe.compiler)?;
        let flags = match language {
            Language::Rust if !all_rust => &[],
            _ => recipe.compiler_flags,
        };
        let assembly = workshop.compile(&compiler, source, flags)?;
        keep(recipe, source, &assembly, "s")?;
        let instrumented =
            misfit::instrument(&assembly, recipe.protections).map_err(|problems| {
                // Compiled again with debug lines, the assembly says where in the source they are.
                let with_lines = workshop.compile_with_lines(&compiler, source, flags);
                error::refuse(source, problems, with_lines.ok(), recipe.protections)
            })?;
        keep(recipe, source, &instrumented, "misfit")?;
        objects.push(workshop.assemble(source, &instrumented)?);
        if let Some(command) = compiler.command()
            && !compilers.iter().any(|known| known == command)
        {
            compilers.push(command.to_owned());
        }
    }
    let linked = workshop.link(&objects, recipe.protections)?;
    Ok(Built {
        compilers,
        object: linked.object,
        runtime_parts: linked.runtime_parts,
    })
}

/// Fails if the intermediate texts of two sources would have one name.
fn check_temps(sources: &[PathBuf]) -> Result<(), BuildError> {
    for (index, other) in sources.iter().enumerate() {
        let stem = other.file_stem();
        if let Some(one) = sources[..index].iter().find(|one| one.file_stem() == stem) {
            let kept = Path::new(stem.unwrap_or_default()).with_extension("s");
            return Err(BuildError::SameTemps {
                one: one.clone(),
                other: other.clone(),
                kept: kept.display().to_string(),
            });
        }
    }
    Ok(())
}

/// Keeps an intermediate text, if they are to be kept.
fn keep(recipe: &Recipe<'_>, source: &Path, text: &str, extension: &str) -> Result<(), BuildError> {
    let (Some(folder), Some(stem)) = (recipe.temps_folder, source.file_stem()) else {
        return Ok(());
    };
    let path = folder.join(Path::new(stem).with_extension(extension));
    if path == source {
        // Assembly given as the source is its own intermediate.
        return Ok(());
    }
    std::fs::write(&path, text).map_err(|error| BuildError::file("write", &path, error))
}
