//! Why a build failed, with what to do about it.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use crate::place::{Place, place_of};

/// Why no object was built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The extension of a source is none of those known.
    #[error("{}: the name does not tell the language", source_file.display())]
    UnknownLanguage {
        /// The source.
        source_file: PathBuf,
    },
    /// A source is not there.
    #[error("{}: no such file", source_file.display())]
    NoSource {
        /// The source.
        source_file: PathBuf,
    },
    /// The name of the compiler is empty.
    #[error("the compiler's name is empty")]
    EmptyCommand,
    /// A compiler was named for a language that it does not compile.
    #[error("{command} is {family} and does not compile {}", source_file.display())]
    WrongCompiler {
        /// The compiler's command.
        command: String,
        /// What it is.
        family: &'static str,
        /// The source.
        source_file: PathBuf,
    },
    /// A tool could not be started.
    #[error("cannot run {tool}: {error}")]
    MissingTool {
        /// The tool's command.
        tool: String,
        /// Why not.
        error: io::Error,
    },
    /// The compiler refused a source; its own words are on the standard error.
    #[error("{compiler} could not compile {}", source_file.display())]
    Compile {
        /// The compiler's command.
        compiler: String,
        /// The source.
        source_file: PathBuf,
    },
    /// The compiler refused native code.
    #[error("{compiler} failed: {message}")]
    Native {
        /// The compiler's command.
        compiler: String,
        /// What it printed.
        message: String,
    },
    /// A Rust crate of the SDK does not compile: the compiler is too old.
    #[error("{compiler} cannot compile the SDK's crate {crate_name}: {message}")]
    RustCrate {
        /// The compiler's command.
        compiler: String,
        /// The crate.
        crate_name: &'static str,
        /// What the compiler printed.
        message: String,
    },
    /// `misfit` refused lines of the assembly.
    #[error("{0}")]
    Misfit(Refused),
    /// `as`, `ld` or `nm` failed.
    #[error("{tool} failed: {message}")]
    Binutils {
        /// Which tool.
        tool: &'static str,
        /// What it printed.
        message: String,
    },
    /// The assembly of two sources would be kept under one name.
    #[error("{} and {} would both be kept as {kept}", one.display(), other.display())]
    SameTemps {
        /// One source.
        one: PathBuf,
        /// The other.
        other: PathBuf,
        /// The file name of both.
        kept: String,
    },
    /// A file could not be read or written.
    #[error("cannot {what} {}: {error}", path.display())]
    File {
        /// `read` or `write`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

impl BuildError {
    pub(crate) fn file(what: &'static str, path: &Path, error: io::Error) -> BuildError {
        let path = path.to_owned();
        BuildError::File { what, path, error }
    }

    /// What to do next, where that is not obvious.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            BuildError::UnknownLanguage { .. } => {
                Some("C ends in .c; C++ in .C, .cc, .cpp or .cxx; Rust in .rs; assembly in .s")
            }
            BuildError::MissingTool { tool, .. } if tool.contains("rustc") => Some(
                "Rust grafts are built with rustc (https://rustup.rs); another one is named by \
                 --compiler or $RUSTC",
            ),
            BuildError::MissingTool { .. } => Some(
                "grafts are built with gcc or clang and binutils (Debian: apt install g++); \
                 another compiler is named by --compiler, $CC or $CXX",
            ),
            BuildError::WrongCompiler { .. } => Some(
                "build the sources of each compiler on their own and link with ld -r, or name \
                 the compilers by $CC, $CXX and $RUSTC",
            ),
            BuildError::RustCrate { .. } => Some("the SDK needs rustc 1.88 or newer"),
            BuildError::Misfit(_) => {
                Some("add --save-temps to keep the assembly and look at those lines")
            }
            BuildError::SameTemps { .. } => Some("rename one of them, or leave out --save-temps"),
            _ => None,
        }
    }
}

/// Lines of a source's assembly that cannot be made safe.
#[derive(Debug)]
pub struct Refused {
    source_file: PathBuf,
    /// Each with where in the source it comes from, if that is known.
    problems: Vec<(misfit::Diagnostic, Option<Place>)>,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let source = self.source_file.display();
        let count = self.problems.len();
        let plural = if count == 1 { "" } else { "s" };
        write!(
            f,
            "misfit cannot make {source} safe ({count} problem{plural})"
        )?;
        for (problem, place) in &self.problems {
            let mut origin = format!("line {} of its assembly", problem.line);
            if let Some(Place { file, line }) = place {
                let _ = write!(origin, ", from {file}:{line}");
            }
            let text = problem.text.trim();
            let (message, advice) = (&problem.message, &problem.advice);
            write!(f, "\n  {origin}: {message}\n    {text}\n    {advice}")?;
        }
        Ok(())
    }
}

/// Says where in the source refused lines come from, if the assembly compiled `with_lines` is
/// refused for the same statements.
pub(crate) fn refuse(
    source: &Path,
    problems: Vec<misfit::Diagnostic>,
    with_lines: Option<String>,
    protections: &misfit::Options,
) -> BuildError {
    let placed: Vec<Option<Place>> = with_lines
        .and_then(|assembly| {
            let again = misfit::instrument(&assembly, protections).err()?;
            let same = again.len() == problems.len()
                && again.iter().zip(&problems).all(|(a, b)| a.text == b.text);
            let places = again
                .iter()
                .map(|problem| place_of(&assembly, problem.line));
            same.then(|| places.collect())
        })
        .unwrap_or_else(|| vec![None; problems.len()]);
    BuildError::Misfit(Refused {
        source_file: source.to_owned(),
        problems: problems.into_iter().zip(placed).collect(),
    })
}
