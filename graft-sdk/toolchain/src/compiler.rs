//! How each compiler is called.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use crate::command;
use crate::error::BuildError;
use crate::language::Language;

/// Flags without which the output of a C compiler cannot be instrumented, or is slower for it.
///
/// `graft-sdk/README.md` says why each is there.
const C_FLAGS: &[&str] = &[
    "-O2",
    "-fPIC",
    "-ffreestanding",
    "-fvisibility=hidden",
    "-fno-plt",
    "-fcf-protection=none",
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
    "-fno-exceptions",
    "-mno-mmx",
    "-mno-avx512f",
    "-mno-tls-direct-seg-refs",
];
/// Further flags for C++.
const CXX_FLAGS: &[&str] = &["-fno-rtti", "-fno-threadsafe-statics"];
/// Further flags for gcc: `misfit` uses `%r11` at returns, where IPA-RA would keep values.
const GCC_FLAGS: &[&str] = &["-fno-ipa-ra"];
/// Flags for rustc; with `lto` what the graft uses of `core` becomes part of its assembly.
const RUSTC_FLAGS: &[&str] = &[
    "--edition=2024",
    "--crate-type=staticlib",
    "--crate-name=graft",
    "--emit=asm",
    "-Cpanic=abort",
    "-Clto=fat",
    "-Ccodegen-units=1",
    "-Crelocation-model=pic",
    "-Cforce-unwind-tables=no",
    "-Copt-level=2",
];

/// Whose flags a compiler takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// GNU C and C++.
    Gcc,
    /// Clang.
    Clang,
    /// Rust.
    Rustc,
    /// No compiler: the source is assembly.
    None,
}

/// A compiler for one language.
#[derive(Clone, Debug)]
pub struct Compiler {
    command: String,
    family: Family,
    language: Language,
}

impl Compiler {
    /// The compiler for a language: the given one, else the environment's (`$CC`, `$CXX`,
    /// `$RUSTC`), else the usual one.
    ///
    /// A C compiler that is given also compiles C++, as `g++` for `gcc`: one `--compiler clang`
    /// serves a recipe of both.
    ///
    /// # Errors
    ///
    /// If the compiler cannot be run.
    pub fn choose(language: Language, given: Option<&str>) -> Result<Compiler, BuildError> {
        let (variable, usual) = match language {
            Language::C => ("CC", "gcc"),
            Language::Cxx => ("CXX", "g++"),
            Language::Rust => ("RUSTC", "rustc"),
            Language::Assembly => {
                return Ok(Compiler {
                    command: String::new(),
                    family: Family::None,
                    language,
                });
            }
        };
        let from_environment = std::env::var(variable).ok();
        let from_environment = from_environment.filter(|command| !command.trim().is_empty());
        let command = match given {
            // `--compiler clang` says nothing about Rust sources, and rustc nothing about C.
            Some(given) if is_rustc(given) == (language == Language::Rust) => given.to_owned(),
            _ => from_environment.unwrap_or_else(|| usual.to_owned()),
        };
        let family = match language {
            Language::Rust => Family::Rustc,
            _ => family_of(&command)?,
        };
        Ok(Compiler {
            command,
            family,
            language,
        })
    }

    /// The command, without flags; none for assembly.
    #[must_use]
    pub fn command(&self) -> Option<&str> {
        (self.family != Family::None).then_some(self.command.as_str())
    }

    /// Whose flags it takes.
    #[must_use]
    pub fn family(&self) -> Family {
        self.family
    }

    /// A command that compiles for a sandbox; what is missing are the headers' folders, the
    /// source, `-o`, and for C the `-S`.
    pub(crate) fn start(&self) -> Result<Command, BuildError> {
        let mut compiler = command::of(&self.command)?;
        match self.family {
            Family::Rustc => {
                compiler.args(RUSTC_FLAGS);
            }
            Family::Gcc | Family::Clang => {
                compiler.args(C_FLAGS);
                if self.language == Language::Cxx {
                    compiler.args(CXX_FLAGS);
                }
                if self.family == Family::Gcc {
                    compiler.args(GCC_FLAGS);
                }
            }
            Family::None => {}
        }
        Ok(compiler)
    }

    /// The first line of what the compiler says of itself; empty for assembly.
    ///
    /// # Errors
    ///
    /// If the compiler cannot be run.
    pub fn version(&self) -> Result<String, BuildError> {
        if self.family == Family::None {
            return Ok(String::new());
        }
        let mut compiler = command::of(&self.command)?;
        let output = command::output(compiler.arg("--version"), &self.command)?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().next().unwrap_or_default().to_owned())
    }

    /// Runs a compiler for C or C++ on native code, to compare with: with `arguments` and the flags
    /// of a graft, but for those that only `misfit` needs.
    ///
    /// # Errors
    ///
    /// If the compiler cannot be run or refuses, with what it printed.
    pub fn run_natively(&self, arguments: &[&OsStr]) -> Result<(), BuildError> {
        let mut compiler = command::of(&self.command)?;
        let output = command::output(compiler.args(C_FLAGS).args(arguments), &self.command)?;
        if output.status.success() {
            return Ok(());
        }
        Err(BuildError::Native {
            compiler: self.command.clone(),
            message: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }

    /// How the source's language is named to a C compiler.
    pub(crate) fn driver_name(&self) -> &'static str {
        match self.language {
            Language::Cxx => "c++",
            _ => "c",
        }
    }

    /// Fails with the source if the compiler is of the wrong kind for it.
    pub(crate) fn check(&self, source: &Path) -> Result<(), BuildError> {
        if Language::of(source)? == self.language {
            return Ok(());
        }
        Err(BuildError::WrongCompiler {
            command: self.command.clone(),
            family: match self.family {
                Family::Gcc => "gcc",
                Family::Clang => "clang",
                Family::Rustc => "rustc",
                Family::None => "no compiler",
            },
            source_file: source.to_owned(),
        })
    }
}

/// Whether a command names a Rust compiler: the last path component says so.
fn is_rustc(text: &str) -> bool {
    text.split_whitespace()
        .filter_map(|word| Path::new(word).file_name()?.to_str())
        .any(|name| name.starts_with("rustc"))
}

/// Asks a C compiler whether it is clang, whose flags differ from gcc's.
fn family_of(text: &str) -> Result<Family, BuildError> {
    let output = command::output(command::of(text)?.arg("--version"), text)?;
    let version = String::from_utf8_lossy(&output.stdout);
    if version.contains("clang") {
        Ok(Family::Clang)
    } else {
        Ok(Family::Gcc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rust_compiler_is_told_by_its_name() {
        assert!(is_rustc("rustc"));
        assert!(is_rustc("sccache /opt/bin/rustc-1.90"));
        assert!(!is_rustc("clang-14"));
    }

    #[test]
    fn assembly_needs_no_compiler() {
        let compiler = Compiler::choose(Language::Assembly, Some("gcc")).expect("no compiler");
        assert_eq!(compiler.command(), None);
        assert_eq!(compiler.family(), Family::None);
    }
}
