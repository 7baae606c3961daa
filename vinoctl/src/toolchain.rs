//! From sources to a graft object, as `graft build` and the demo do it.
//!
//! The work is that of [`vino_toolchain`]; here are its place in an asynchronous program, its
//! failures as exit codes, and the files that a build writes.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use vino_toolchain::{BuildError, Built, Compiler, Language};

use crate::failure::{Exit, Failure};

/// What to build, and how; see [`vino_toolchain::Recipe`].
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    /// The source files.
    pub(crate) sources: Vec<PathBuf>,
    /// Command of the compiler, when the environment's is not wanted.
    pub(crate) compiler: Option<String>,
    /// Further flags for the compiler.
    pub(crate) compiler_flags: Vec<String>,
    /// What `misfit` inserts.
    pub(crate) protections: misfit::Options,
    /// Where the assembly before and after `misfit` is kept.
    pub(crate) temps_folder: Option<PathBuf>,
}

/// Builds one object.
pub(crate) async fn build(recipe: Recipe) -> Result<Built, Failure> {
    // Compilers take their time: the runtime's threads are for those who wait for nothing else.
    let built = tokio::task::spawn_blocking(move || {
        vino_toolchain::build(&vino_toolchain::Recipe {
            sources: &recipe.sources,
            compiler: recipe.compiler.as_deref(),
            compiler_flags: &recipe.compiler_flags,
            protections: &recipe.protections,
            temps_folder: recipe.temps_folder.as_deref(),
        })
    });
    let built = built.await.expect("a build does not panic");
    built.map_err(|error| failure_of(&error))
}

/// The first line of what the C compiler says of itself.
pub(crate) fn compiler_version() -> Result<String, Failure> {
    let compiler = Compiler::choose(Language::C, None);
    let version = compiler.and_then(|compiler| compiler.version());
    version.map_err(|error| failure_of(&error))
}

/// Runs the C compiler for native code, with the flags of a graft that are not for `misfit`.
pub(crate) fn compile_natively(arguments: &[&OsStr]) -> Result<(), Failure> {
    let compiler = Compiler::choose(Language::C, None);
    let compiled = compiler.and_then(|compiler| compiler.run_natively(arguments));
    compiled.map_err(|error| failure_of(&error))
}

fn failure_of(error: &BuildError) -> Failure {
    let exit = match error {
        BuildError::UnknownLanguage { .. }
        | BuildError::EmptyCommand
        | BuildError::SameTemps { .. } => Exit::Usage,
        BuildError::NoSource { .. } => Exit::NotFound,
        _ => Exit::Error,
    };
    let failure = Failure::new(exit, error.to_string());
    match error.advice() {
        Some(advice) => failure.with_advice(advice),
        None => failure,
    }
}

/// Whether two paths name one file, through whatever links.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (std::fs::metadata(one), std::fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

/// Writes a file whole or not at all: a reader never sees half of it.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: &dyn std::error::Error| {
        Failure::from_error(&format!("cannot write {}", path.display()), error)
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(folder)
        .map_err(|error| failed(&error))?;
    std::io::Write::write_all(&mut file, bytes).map_err(|error| failed(&error))?;
    file.persist(path).map_err(|error| failed(&error.error))?;
    Ok(())
}

/// Reads the letters that `misfit` reads on its own command line.
pub(crate) fn parse_protections(letters: &str) -> Result<misfit::Options, Failure> {
    let mut options = misfit::Options {
        indirect_calls: false,
        reads: false,
        writes: false,
        stack: false,
    };
    for letter in letters.chars() {
        match letter {
            'c' => options.indirect_calls = true,
            'r' => options.reads = true,
            'w' => options.writes = true,
            's' => options.stack = true,
            other => {
                let message = format!("--protect {letters}: there is no protection {other:?}");
                return Err(Failure::usage(message).with_advice(
                    "the letters are c (calls and returns), r (reads), w (writes), s (stack)",
                ));
            }
        }
    }
    Ok(options)
}

/// The object's path when none is given: the source's name, in the current folder.
pub(crate) fn default_object(source: &Path) -> PathBuf {
    PathBuf::from(source.file_stem().unwrap_or(source.as_os_str())).with_extension("o")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_lands_in_the_current_folder() {
        assert_eq!(
            default_object(Path::new("/src/victim.C")),
            Path::new("victim.o")
        );
    }

    #[test]
    fn an_unknown_protection_is_named() {
        let failure = parse_protections("cx")
            .err()
            .map(|failure| failure.to_string());
        assert!(failure.is_some_and(|text| text.contains("no protection 'x'")));
    }
}
