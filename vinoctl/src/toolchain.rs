//! From a source file to a graft object: compiler, `misfit`, assembler.
//!
//! ```text
//! victim.C --g++ -S--> victim.s --misfit--> victim.misfit --as--> victim.o
//! ```
//!
//! The compiler and the assembler are the user's; `misfit` is a library of ours; the headers that
//! a graft includes are carried in this binary (see [`crate::sdk`]), so that building needs no
//! installed SDK. Nothing here is trusted: the verifier judges the object, not how it was made.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tokio::process::Command;

use crate::failure::{Exit, Failure};
use crate::sdk;

/// Flags without which the output of a compiler cannot be instrumented, or is slower for it.
const FLAGS: &[&str] = &[
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

/// The language of a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// C.
    C,
    /// C++.
    Cxx,
    /// AT&T assembly that a compiler wrote.
    Assembly,
}

/// What to build, and how.
#[derive(Debug)]
pub(crate) struct Recipe<'a> {
    /// The source file.
    pub(crate) source: &'a Path,
    /// Command of the compiler, when the environment's is not wanted.
    pub(crate) compiler: Option<&'a str>,
    /// Further flags for the compiler.
    pub(crate) compiler_flags: &'a [String],
    /// What `misfit` inserts.
    pub(crate) protections: &'a misfit::Options,
    /// The object's path, beside which the assembly before and after `misfit` is kept.
    pub(crate) temps_beside: Option<&'a Path>,
}

/// What a build made.
#[derive(Debug)]
pub(crate) struct Built {
    /// The compiler's command, without its flags; none for assembly.
    pub(crate) compiler: Option<String>,
    /// The object.
    pub(crate) object: Vec<u8>,
}

impl Language {
    /// Tells the language by the file's name, as compilers do.
    pub(crate) fn of(source: &Path) -> Result<Language, Failure> {
        match source.extension().and_then(|extension| extension.to_str()) {
            Some("c") => Ok(Language::C),
            Some("C" | "cc" | "cpp" | "cxx") => Ok(Language::Cxx),
            Some("s") => Ok(Language::Assembly),
            _ => Err(Failure::usage(format!(
                "{}: the name does not tell the language",
                source.display()
            ))
            .with_advice("C ends in .c; C++ in .C, .cc, .cpp or .cxx; assembly in .s")),
        }
    }

    fn driver_name(self) -> &'static str {
        match self {
            Language::C => "c",
            Language::Cxx => "c++",
            Language::Assembly => "assembler",
        }
    }

    /// The compiler named by the environment, else the usual one.
    fn default_compiler(self) -> String {
        let (variable, usual) = match self {
            Language::Cxx => ("CXX", "g++"),
            Language::C | Language::Assembly => ("CC", "gcc"),
        };
        match std::env::var(variable) {
            Ok(command) if !command.trim().is_empty() => command,
            _ => usual.to_string(),
        }
    }
}

/// Builds one object.
pub(crate) async fn build(recipe: &Recipe<'_>) -> Result<Built, Failure> {
    let language = Language::of(recipe.source)?;
    if !recipe.source.is_file() {
        let message = format!("{}: no such file", recipe.source.display());
        return Err(Failure::new(Exit::NotFound, message));
    }
    let work = tempfile::Builder::new()
        .prefix("vinoctl-build-")
        .tempdir()
        .map_err(|error| Failure::from_error("cannot create a temporary folder", &error))?;
    let (compiler, assembly) = match language {
        Language::Assembly => (None, read_text(recipe.source)?),
        Language::C | Language::Cxx => {
            let command = recipe
                .compiler
                .map_or_else(|| language.default_compiler(), ToString::to_string);
            let assembly = compile(recipe, language, &command, work.path()).await?;
            (Some(command), assembly)
        }
    };
    recipe.keep(&assembly, "s")?;
    let instrumented = instrument(recipe, &assembly)?;
    recipe.keep(&instrumented, "misfit")?;
    let object = assemble(&instrumented, work.path()).await?;
    Ok(Built { compiler, object })
}

impl Recipe<'_> {
    /// Keeps an intermediate text, if they are to be kept.
    fn keep(&self, text: &str, extension: &str) -> Result<(), Failure> {
        let Some(object) = self.temps_beside else {
            return Ok(());
        };
        let path = object.with_extension(extension);
        if path == self.source {
            // Assembly given as the source is its own intermediate.
            return Ok(());
        }
        write_file(&path, text.as_bytes())
    }
}

/// Runs the compiler and returns its assembly.
async fn compile(
    recipe: &Recipe<'_>,
    language: Language,
    command: &str,
    work: &Path,
) -> Result<String, Failure> {
    let headers = work.join("sdk");
    sdk::write_headers(&headers)
        .map_err(|error| Failure::from_error("cannot write the SDK's headers", &error))?;
    let assembly = work.join("graft.s");
    let mut compiler = command_of(command)?;
    compiler.args(FLAGS);
    if language == Language::Cxx {
        compiler.args(CXX_FLAGS);
    }
    if !is_clang(command).await? {
        compiler.args(GCC_FLAGS);
    }
    for folder in sdk::INCLUDE_FOLDERS {
        compiler.arg("-I").arg(headers.join(folder));
    }
    compiler.args(recipe.compiler_flags);
    compiler
        .args(["-S", "-x", language.driver_name()])
        .arg(recipe.source);
    compiler.arg("-o").arg(&assembly);
    // The compiler's messages are the user's to read as they are.
    let status = compiler
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .status()
        .await
        .map_err(|error| missing_tool(command, &error))?;
    if !status.success() {
        let message = format!("{command} could not compile {}", recipe.source.display());
        return Err(Failure::new(Exit::Error, message));
    }
    read_text(&assembly)
}

/// The first line of what the compiler says of itself.
pub(crate) async fn compiler_version() -> Result<String, Failure> {
    let command = Language::C.default_compiler();
    let output = run(command_of(&command)?.arg("--version"), &command).await?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().unwrap_or_default().to_string())
}

/// Runs the C compiler for native code: with the flags of a graft, but for those that only
/// `misfit` needs, and with `arguments`.
pub(crate) async fn compile_natively(arguments: &[&OsStr]) -> Result<(), Failure> {
    let command = Language::C.default_compiler();
    let mut compiler = command_of(&command)?;
    compiler.args(FLAGS).args(arguments);
    let output = run(&mut compiler, &command).await?;
    if output.status.success() {
        return Ok(());
    }
    let messages = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(
        Exit::Error,
        format!("{command} failed: {}", messages.trim()),
    ))
}

/// Asks the compiler whether it is clang, whose flags differ from gcc's.
async fn is_clang(command: &str) -> Result<bool, Failure> {
    let output = run(command_of(command)?.arg("--version"), command).await?;
    Ok(String::from_utf8_lossy(&output.stdout).contains("clang"))
}

/// Instruments assembly, or fails with every line that cannot be made safe.
fn instrument(recipe: &Recipe<'_>, assembly: &str) -> Result<String, Failure> {
    misfit::instrument(assembly, recipe.protections).map_err(|diagnostics| {
        let source = recipe.source.display();
        let count = diagnostics.len();
        let mut message = format!("misfit cannot make {source} safe ({count} problems)");
        for diagnostic in &diagnostics {
            message.push_str(&format!(
                "\n  line {} of its assembly: {}\n    {}\n    {}",
                diagnostic.line,
                diagnostic.message,
                diagnostic.text.trim(),
                diagnostic.advice
            ));
        }
        Failure::new(Exit::Error, message)
            .with_advice("add --save-temps to keep the assembly and look at those lines")
    })
}

/// Runs the assembler and returns the object.
async fn assemble(instrumented: &str, work: &Path) -> Result<Vec<u8>, Failure> {
    let input = work.join("graft.misfit");
    let object = work.join("graft.o");
    write_file(&input, instrumented.as_bytes())?;
    let output = run(Command::new("as").arg(&input).arg("-o").arg(&object), "as").await?;
    if !output.status.success() {
        let message = format!(
            "as failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        return Err(Failure::new(Exit::Error, message));
    }
    std::fs::read(&object).map_err(|error| Failure::from_error("cannot read the object", &error))
}

/// Runs a tool to its end and captures what it prints.
async fn run(command: &mut Command, name: &str) -> Result<Output, Failure> {
    command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| missing_tool(name, &error))
}

/// Splits a command such as `ccache gcc` into the program and its first arguments.
fn command_of(text: &str) -> Result<Command, Failure> {
    let mut words = text.split_whitespace();
    let program = words
        .next()
        .ok_or_else(|| Failure::usage("the compiler's name is empty"))?;
    let mut command = Command::new(program);
    command.args(words);
    Ok(command)
}

fn missing_tool(name: &str, error: &std::io::Error) -> Failure {
    Failure::from_error(&format!("cannot run {name}"), error).with_advice(
        "grafts are built with gcc or clang and binutils (Debian: apt install g++); another \
         compiler is named by --compiler, $CC or $CXX",
    )
}

fn read_text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::from_error(&format!("cannot read {}", path.display()), &error))
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
    fn the_language_is_told_by_the_extension() {
        assert_eq!(Language::of(Path::new("a.c")).ok(), Some(Language::C));
        assert_eq!(Language::of(Path::new("a.C")).ok(), Some(Language::Cxx));
        assert_eq!(Language::of(Path::new("a.cpp")).ok(), Some(Language::Cxx));
        assert_eq!(
            Language::of(Path::new("a.s")).ok(),
            Some(Language::Assembly)
        );
        assert_eq!(
            Language::of(Path::new("a.rs")).err().map(|f| f.exit),
            Some(Exit::Usage)
        );
    }

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
