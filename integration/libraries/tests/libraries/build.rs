//! From the sources of a library to a native program and a graft.
//!
//! ```text
//!                    +-> as ---------------------------> cc (with libc) -> program
//!  *.c -> cc -S -> .s
//!                    +-> misfit -> as -> ld -r (with the SDK's runtime) -> graft
//! ```

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use cargo_metadata::{Metadata, MetadataCommand};
use misfit::Options;
use tempfile::TempDir;
use vino_toolchain::{Language, Workshop};

use crate::catalog::{Files, Library};

/// What the compiler of a graft is told; see the README of the SDK.
const FLAGS: &[&str] = &[
    "-w",
    "-fPIC",
    "-fno-exceptions",
    "-fcf-protection=none",
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
    // Functions instead of tables of the C library.
    "-D__NO_CTYPE",
    "-U_FORTIFY_SOURCE",
];

/// A compiler family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compiler {
    Gcc,
    Clang,
}

impl Compiler {
    fn command(self) -> &'static str {
        match self {
            Compiler::Gcc => "gcc",
            Compiler::Clang => "clang",
        }
    }

    pub(crate) fn exists(self) -> bool {
        Command::new(self.command())
            .arg("--version")
            .output()
            .is_ok()
    }

    fn flags(self) -> &'static [&'static str] {
        match self {
            Compiler::Gcc => &["-fno-ipa-ra"],
            Compiler::Clang => &[],
        }
    }
}

impl fmt::Display for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.command())
    }
}

/// A native program and a graft, made from the same assembly.
pub(crate) struct Built {
    /// Holds the files; they are gone when it is dropped.
    pub(crate) folder: TempDir,
    pub(crate) program: PathBuf,
    pub(crate) graft: Vec<u8>,
    /// Bytes of instructions of the library and its glue.
    pub(crate) native_text_bytes: u64,
    /// The same, instrumented.
    pub(crate) graft_text_bytes: u64,
}

/// Builds a library and its glue both ways.
pub(crate) fn build(tools: &mut Tools, library: &Library, level: &str) -> Result<Built, String> {
    let compiler = tools.compiler;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut builder = Builder {
        tools,
        compiler,
        level,
        flags: library
            .flags
            .iter()
            .map(|flag| (*flag).to_owned())
            .collect(),
        folder: folder.path(),
        count: 0,
    };
    let (mut sources, mut headers) = (Vec::new(), Vec::new());
    for part in library.sources {
        let folder = package_folder(part.package)?.join(part.folder);
        sources.extend(source_files(&folder, &part.files)?);
        headers.push(folder);
    }
    builder.flags.extend(
        headers
            .iter()
            .map(|folder| format!("-I{}", folder.display())),
    );
    sources.push(glue().join(format!("{}.c", library.name)));
    let pairs: Vec<Pair> = sources
        .iter()
        .map(|source| builder.pair(source))
        .collect::<Result<_, _>>()?;
    let (native, grafts): (Vec<PathBuf>, Vec<PathBuf>) = pairs
        .into_iter()
        .map(|pair| (pair.native, pair.graft))
        .unzip();
    let program = builder.program(&native)?;
    let graft = tools.link(&grafts)?;
    Ok(Built {
        program,
        graft,
        native_text_bytes: text_bytes(&native)?,
        graft_text_bytes: text_bytes(&grafts)?,
        folder,
    })
}

/// The objects made of one source.
struct Pair {
    native: PathBuf,
    graft: PathBuf,
}

/// What is built once for all levels of a compiler: the runtime.
pub(crate) struct Tools {
    compiler: Compiler,
    workshop: Workshop,
    /// The rest of the C library, instrumented.
    rest: Option<PathBuf>,
}

impl Tools {
    pub(crate) fn new(compiler: Compiler) -> Result<Tools, String> {
        let for_c = vino_toolchain::Compiler::choose(Language::C, Some(compiler.command()));
        let for_c = for_c.map_err(|error| error.to_string())?;
        let workshop = Workshop::new().map_err(|error| error.to_string())?;
        Ok(Tools {
            compiler,
            workshop: workshop.with_runtime_compiler(for_c),
            rest: None,
        })
    }

    /// Instruments and assembles what a source became.
    fn instrument(&mut self, source: &Path, assembly: &Path) -> Result<PathBuf, String> {
        let text = fs::read_to_string(assembly).map_err(|error| error.to_string())?;
        let object = self
            .workshop
            .instrument_and_assemble(source, &text, &Options::ALL);
        object.map_err(|error| format!("{}: {error}", source.display()))
    }

    /// Links a graft with what it needs of the runtime and of the rest of the C library.
    fn link(&mut self, objects: &[PathBuf]) -> Result<Vec<u8>, String> {
        let rest = match self.rest.clone() {
            Some(rest) => rest,
            None => self.build_rest()?,
        };
        self.rest = Some(rest.clone());
        let all: Vec<PathBuf> = objects.iter().cloned().chain([rest]).collect();
        let linked = self.workshop.link(&all, &Options::ALL);
        Ok(linked.map_err(|error| error.to_string())?.object)
    }

    fn build_rest(&mut self) -> Result<PathBuf, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mut builder = Builder {
            compiler: self.compiler,
            tools: self,
            level: "-O2",
            flags: vec!["-ffreestanding".to_owned()],
            folder: folder.path(),
            count: 0,
        };
        let source = glue().join("libc.c");
        let assembly = builder.assembly(&source)?;
        self.instrument(&source, &assembly)
    }
}

struct Builder<'a> {
    tools: &'a mut Tools,
    compiler: Compiler,
    level: &'a str,
    flags: Vec<String>,
    folder: &'a Path,
    /// How many files have been named.
    count: usize,
}

impl Builder<'_> {
    fn new_file(&mut self, extension: &str) -> PathBuf {
        self.count += 1;
        self.folder.join(format!("{}.{extension}", self.count))
    }

    /// Compiles one source to assembly.
    fn assembly(&mut self, source: &Path) -> Result<PathBuf, String> {
        if source.extension().is_some_and(|extension| extension == "s") {
            return Ok(source.to_owned());
        }
        let assembly = self.new_file("s");
        run(Command::new(self.compiler.command())
            .args([self.level, "-S"])
            .args(FLAGS)
            .args(self.compiler.flags())
            .args(&self.flags)
            .arg(source)
            .arg("-o")
            .arg(&assembly))?;
        Ok(assembly)
    }

    fn pair(&mut self, source: &Path) -> Result<Pair, String> {
        let assembly = self.assembly(source)?;
        // Each compiler knows its own directives; misfit's output is for `as`.
        let native = self.new_file("o");
        run(Command::new(self.compiler.command())
            .arg("-c")
            .arg(&assembly)
            .arg("-o")
            .arg(&native))?;
        Ok(Pair {
            native,
            graft: self.tools.instrument(source, &assembly)?,
        })
    }

    fn program(&mut self, objects: &[PathBuf]) -> Result<PathBuf, String> {
        let program = self.folder.join("program");
        run(Command::new(self.compiler.command())
            .args(["-O2", "-w"])
            .arg(glue().join("native.c"))
            .args(objects)
            .args(["-lm", "-o"])
            .arg(&program))?;
        Ok(program)
    }
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

fn glue() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("glue")
}

/// Where the packages of the registry are on this machine.
static METADATA: LazyLock<Result<Metadata, String>> = LazyLock::new(|| {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .exec()
        .map_err(|error| error.to_string())
});

fn package_folder(name: &str) -> Result<PathBuf, String> {
    let metadata = METADATA.as_ref().map_err(Clone::clone)?;
    let package = metadata
        .packages
        .iter()
        .find(|package| package.name.as_str() == name)
        .ok_or_else(|| format!("{name} is not a dependency: see Cargo.toml"))?;
    let folder = package.manifest_path.parent();
    Ok(folder.ok_or("a manifest is in a folder")?.into())
}

fn source_files(folder: &Path, files: &Files) -> Result<Vec<PathBuf>, String> {
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_owned();
    match files {
        Files::Named(names) => Ok(names
            .iter()
            .map(|name| folder.join(format!("{name}.c")))
            .collect()),
        Files::AllBut(names) => {
            let mut all = files_of(folder, &["c"])?;
            all.retain(|path| !names.iter().any(|name| stem(path) == *name));
            Ok(all)
        }
    }
}

/// The files of a folder with one of the extensions, in the order of their names.
fn files_of(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, String> {
    let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut files = Vec::new();
    for file in fs::read_dir(folder).map_err(fail)? {
        let path = file.map_err(fail)?.path();
        let extension = path.extension().unwrap_or_default();
        if extensions.iter().any(|wanted| extension == *wanted) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Bytes of instructions in objects, as `size` counts the sections.
fn text_bytes(objects: &[PathBuf]) -> Result<u64, String> {
    let listing = run(Command::new("size").arg("-A").args(objects))?;
    let of_text = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let name = words.next().filter(|name| name.starts_with(".text"));
        name.and(words.next())
            .and_then(|bytes| bytes.parse::<u64>().ok())
    };
    Ok(listing.lines().filter_map(of_text).sum::<u64>())
}

/// Runs a command and returns what it printed.
fn run(command: &mut Command) -> Result<String, String> {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() {
        Ok(String::from_utf8_lossy(&stdout).into_owned())
    } else {
        let errors = String::from_utf8_lossy(&stderr);
        Err(format!("{command:?}: {status}\n{errors}"))
    }
}
