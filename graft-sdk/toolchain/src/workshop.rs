//! A temporary folder in which grafts are built, step by step.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::command;
use crate::compiler::{Compiler, Family};
use crate::error::{self, BuildError};
use crate::language::Language;
use crate::runtime::{self, Part};
use crate::sdk;
use crate::symbols;

/// Flags for the Rust crates of the SDK, which become part of the graft that uses them.
const LIBRARY_FLAGS: &[&str] = &[
    "--edition=2024",
    "--crate-type=rlib",
    "-Cpanic=abort",
    "-Copt-level=2",
    "-Crelocation-model=pic",
];

/// The SDK's tree, intermediate files, and the parts of the runtime that were built so far.
#[derive(Debug)]
pub struct Workshop {
    folder: TempDir,
    n_objects: u32,
    /// Objects of the runtime, by part and by the protections they have.
    parts: Vec<(&'static str, misfit::Options, PathBuf)>,
    rust_crates: Option<PathBuf>,
    /// With which the runtime is built; asked for when it is first needed.
    runtime_compiler: Option<Compiler>,
}

/// One relocatable object with all that it needs, except what the host provides.
#[derive(Clone, Debug)]
pub struct Linked {
    /// The object.
    pub object: Vec<u8>,
    /// The parts of the runtime that went in, sorted.
    pub runtime_parts: Vec<&'static str>,
    /// What is still undefined: the imports, sorted.
    pub undefined: Vec<String>,
}

impl Workshop {
    /// Sets up a workshop; it is gone when the value is.
    ///
    /// # Errors
    ///
    /// If the temporary folder cannot be written.
    pub fn new() -> Result<Workshop, BuildError> {
        let folder = tempfile::Builder::new().prefix("vino-build-").tempdir();
        let folder = folder.map_err(|error| {
            BuildError::file("create a folder in", &std::env::temp_dir(), error)
        })?;
        let workshop = Workshop {
            folder,
            n_objects: 0,
            parts: Vec::new(),
            rust_crates: None,
            runtime_compiler: None,
        };
        let tree = workshop.sdk();
        sdk::write(&tree).map_err(|error| BuildError::file("write", &tree, error))?;
        Ok(workshop)
    }

    /// Builds the runtime with that compiler, which must be one for C.
    #[must_use]
    pub fn with_runtime_compiler(mut self, compiler: Compiler) -> Workshop {
        self.runtime_compiler = Some(compiler);
        self
    }

    /// The folder of headers for a C compiler's `-I`.
    #[must_use]
    pub fn include(&self) -> PathBuf {
        self.sdk().join(sdk::INCLUDE_FOLDER)
    }

    fn sdk(&self) -> PathBuf {
        self.folder.path().join("sdk")
    }

    /// Compiles a source to assembly with the SDK's flags, then `flags`.
    ///
    /// # Errors
    ///
    /// If the source or the compiler is not there, or the compiler refuses; its words go to the
    /// standard error, as they are.
    pub fn compile(
        &mut self,
        compiler: &Compiler,
        source: &Path,
        flags: &[String],
    ) -> Result<String, BuildError> {
        compiler.check(source)?;
        if !source.is_file() {
            return Err(BuildError::NoSource {
                source_file: source.to_owned(),
            });
        }
        if compiler.family() == Family::None {
            return read_text(source);
        }
        let output = self.folder.path().join("graft.s");
        let mut command = self.compiler_command(compiler)?;
        command.args(flags).arg(source).arg("-o").arg(&output);
        let name = compiler.command().unwrap_or_default();
        let status = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .map_err(|error| command::missing(name, error))?;
        if !status.success() {
            return Err(BuildError::Compile {
                compiler: name.to_owned(),
                source_file: source.to_owned(),
            });
        }
        read_text(&output)
    }

    /// As [`Workshop::compile`], with the lines of the source marked in the assembly, and silently.
    pub(crate) fn compile_with_lines(
        &mut self,
        compiler: &Compiler,
        source: &Path,
        flags: &[String],
    ) -> Result<String, BuildError> {
        let mut flags = flags.to_vec();
        match compiler.family() {
            Family::Gcc | Family::Clang => flags.extend(["-g1".to_owned(), "-w".to_owned()]),
            Family::Rustc => flags.extend(["-Cdebuginfo=1".to_owned(), "-Awarnings".to_owned()]),
            Family::None => {}
        }
        self.compile(compiler, source, &flags)
    }

    /// The compiler with all flags of the SDK.
    fn compiler_command(&mut self, compiler: &Compiler) -> Result<Command, BuildError> {
        let mut command = compiler.start()?;
        if compiler.family() == Family::Rustc {
            let folder = self.rust_crates(compiler)?;
            let graft = folder.join("libvino_graft.rlib");
            command.arg("-L").arg(&folder);
            command.arg(format!("--extern=vino_graft={}", graft.display()));
        } else {
            command.arg("-I").arg(self.include());
            command.args(["-S", "-x", compiler.driver_name()]);
        }
        Ok(command)
    }

    /// Instruments assembly and assembles it; the object is a file of the workshop.
    ///
    /// # Errors
    ///
    /// If `misfit` or the assembler refuses.
    pub fn instrument_and_assemble(
        &mut self,
        name: &Path,
        assembly: &str,
        protections: &misfit::Options,
    ) -> Result<PathBuf, BuildError> {
        let instrumented = misfit::instrument(assembly, protections)
            .map_err(|problems| error::refuse(name, problems, None, protections))?;
        self.assemble(name, &instrumented)
    }

    /// Assembles instrumented text; the object is a file of the workshop.
    pub(crate) fn assemble(
        &mut self,
        name: &Path,
        instrumented: &str,
    ) -> Result<PathBuf, BuildError> {
        self.n_objects += 1;
        let stem = name.file_stem().unwrap_or_default().to_string_lossy();
        let base = format!("{}-{stem}", self.n_objects);
        let input = self.folder.path().join(format!("{base}.misfit"));
        let object = self.folder.path().join(format!("{base}.o"));
        let written = std::fs::write(&input, instrumented);
        written.map_err(|error| BuildError::file("write", &input, error))?;
        command::binutils(Command::new("as").arg(&input).arg("-o").arg(&object), "as")?;
        Ok(object)
    }

    /// Links objects to one, with the parts of the runtime that they need.
    ///
    /// A function that the objects define goes before the runtime's of the same name.
    ///
    /// # Errors
    ///
    /// If two objects define one symbol, or a part of the runtime cannot be built.
    pub fn link(
        &mut self,
        objects: &[PathBuf],
        protections: &misfit::Options,
    ) -> Result<Linked, BuildError> {
        let alone = self.folder.path().join("alone.o");
        link_objects(objects, &[], &alone)?;
        let mut symbols = symbols::read(&alone)?;
        let mut parts: BTreeMap<&'static str, PathBuf> = BTreeMap::new();
        // Each round adds a part, so there are at most as many rounds as parts.
        loop {
            let missing = runtime::needed(&symbols);
            let mut added = false;
            for part in missing {
                if !parts.contains_key(part.file) {
                    let object = self.part(part, protections)?;
                    runtime::add(&mut symbols, symbols::read(&object)?);
                    parts.insert(part.file, object);
                    added = true;
                }
            }
            if !added {
                break;
            }
        }
        let complete = self.folder.path().join("complete.o");
        let runtime: Vec<PathBuf> = parts.values().cloned().collect();
        link_objects(&[alone], &runtime, &complete)?;
        let object = std::fs::read(&complete);
        let object = object.map_err(|error| BuildError::file("read", &complete, error))?;
        // The assembler names the GOT in passing; no code refers to it.
        symbols.undefined.remove("_GLOBAL_OFFSET_TABLE_");
        Ok(Linked {
            object,
            runtime_parts: parts.into_keys().collect(),
            undefined: symbols.undefined.into_iter().collect(),
        })
    }

    /// The object of a part of the runtime, with the graft's protections; built when first asked
    /// for.
    fn part(
        &mut self,
        part: &'static Part,
        protections: &misfit::Options,
    ) -> Result<PathBuf, BuildError> {
        let mut built = self.parts.iter();
        if let Some((_, _, object)) = built.find(|(f, p, _)| *f == part.file && p == protections) {
            return Ok(object.clone());
        }
        let source = self.sdk().join(sdk::RUNTIME_FOLDER).join(part.file);
        let language = Language::of(&source)?;
        let compiler = match (&self.runtime_compiler, language) {
            (Some(compiler), Language::C) => compiler.clone(),
            _ => Compiler::choose(language, None)?,
        };
        if language == Language::C {
            self.runtime_compiler = Some(compiler.clone());
        }
        let assembly = self.compile(&compiler, &source, &[])?;
        let object = self.instrument_and_assemble(&source, &assembly, protections)?;
        self.parts.push((part.file, *protections, object.clone()));
        Ok(object)
    }

    /// The folder of the SDK's Rust crates, compiled when first asked for.
    fn rust_crates(&mut self, compiler: &Compiler) -> Result<PathBuf, BuildError> {
        if let Some(folder) = &self.rust_crates {
            return Ok(folder.clone());
        }
        let folder = self.folder.path().join("rust");
        let name = compiler.command().unwrap_or_default();
        let mut built: Vec<&str> = Vec::new();
        for (crate_name, source) in sdk::RUST_CRATES {
            let source = self.sdk().join(source);
            let mut rustc = command::of(name)?;
            rustc.args(LIBRARY_FLAGS).args(["--crate-name", crate_name]);
            rustc.arg("-L").arg(&folder).arg("--out-dir").arg(&folder);
            for earlier in &built {
                rustc.args(["--extern", earlier]);
            }
            built.push(crate_name);
            let output = command::output(rustc.arg(&source), name)?;
            if !output.status.success() {
                let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                return Err(BuildError::RustCrate {
                    compiler: name.to_owned(),
                    crate_name,
                    message,
                });
            }
        }
        self.rust_crates = Some(folder.clone());
        Ok(folder)
    }
}

/// Links `objects` strictly; of `runtime`, symbols that are defined already are left out.
fn link_objects(objects: &[PathBuf], runtime: &[PathBuf], output: &Path) -> Result<(), BuildError> {
    let mut ld = Command::new("ld");
    // Functions that several C++ sources have in common come in once, as in a final link.
    ld.args(["-r", "-m", "elf_x86_64", "--force-group-allocation"]);
    if !runtime.is_empty() {
        ld.args(["-z", "muldefs"]);
    }
    ld.args(objects).args(runtime).arg("-o").arg(output);
    command::binutils(&mut ld, "ld").map(drop)
}

fn read_text(path: &Path) -> Result<String, BuildError> {
    std::fs::read_to_string(path).map_err(|error| BuildError::file("read", path, error))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every part, as a compiler makes it, defines the functions of the table and no others.
    fn compare_parts(compiler: &str) {
        let compiler = Compiler::choose(Language::C, Some(compiler)).expect("it is installed");
        let workshop = Workshop::new().expect("a temporary folder");
        let mut workshop = workshop.with_runtime_compiler(compiler);
        for part in runtime::PARTS {
            let object = workshop.part(part, &misfit::Options::ALL);
            let symbols = symbols::read(&object.expect("the runtime builds"));
            let defined = symbols.expect("nm reads objects").defined;
            let expected = part.functions.iter().map(ToString::to_string);
            assert_eq!(defined, expected.collect::<BTreeSet<_>>(), "{}", part.file);
        }
        assert_eq!(workshop.parts.len(), runtime::PARTS.len());
    }

    #[test]
    fn the_table_of_parts_is_what_gcc_makes() {
        compare_parts("gcc");
    }

    #[test]
    fn the_table_of_parts_is_what_clang_makes() {
        compare_parts("clang");
    }
}
