//! The `misfit` command: `misfit [-crws] [-i input_file] [-o output_file]`.

mod arguments;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use arguments::{Command, Job};

/// Exit status when the input cannot be made safe, or a file cannot be read or written.
const FAILED: u8 = 1;
/// Exit status when the command line is not understood.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let job = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(Command::Instrument(job)) => job,
        Ok(Command::Help) => return print(arguments::HELP),
        Ok(Command::Version) => return print(concat!("misfit ", env!("CARGO_PKG_VERSION"), "\n")),
        Err(error) => {
            eprintln!("misfit: {error}\n{}", arguments::USAGE_LINE);
            return ExitCode::from(USAGE);
        }
    };
    match run(&job) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(FAILED)
        }
    }
}

fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(FAILED),
    }
}

fn run(job: &Job) -> Result<(), String> {
    let input_name = job
        .input
        .as_deref()
        .map_or("stdin".into(), Path::to_string_lossy);
    if let (Some(input), Some(output)) = (&job.input, &job.output)
        && let (Ok(input), Ok(output)) = (fs::canonicalize(input), fs::canonicalize(output))
        && input == output
    {
        return Err(format!(
            "misfit: {input_name} is the input: name another file with -o"
        ));
    }
    let assembly = read_input(job.input.as_deref())
        .map_err(|error| format!("misfit: cannot read {input_name}: {error}"))?;
    let output = misfit::instrument(&assembly, &job.options).map_err(|problems| {
        let mut text = String::new();
        for problem in &problems {
            let misfit::Diagnostic {
                line,
                text: statement,
                message,
                advice,
            } = problem;
            text += &format!(
                "{input_name}:{line}: error: {message}\n\t{statement}\n{input_name}:{line}: \
                 advice: {advice}\n"
            );
        }
        let plural = if problems.len() == 1 { "" } else { "s" };
        text + &format!(
            "misfit: {} error{plural}, nothing was written",
            problems.len()
        )
    })?;
    write_output(job.output.as_deref(), output.as_bytes()).map_err(|error| {
        let name = job
            .output
            .as_deref()
            .map_or("stdout".into(), Path::to_string_lossy);
        format!("misfit: cannot write {name}: {error}")
    })
}

fn read_input(path: Option<&Path>) -> io::Result<String> {
    let mut bytes = Vec::new();
    // One byte more than is allowed tells that there is more.
    let limit = misfit::INPUT_BYTES_MAX as u64 + 1;
    match path {
        Some(path) => File::open(path)?.take(limit).read_to_end(&mut bytes)?,
        None => io::stdin().lock().take(limit).read_to_end(&mut bytes)?,
    };
    let what = match bytes.get(..4) {
        Some(b"\x7fELF") => {
            "an object file: misfit reads what the compiler's -S writes, before `as`"
        }
        _ => "not text: misfit reads what the compiler's -S writes",
    };
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, what))
}

/// Writes all or nothing: a regular file is replaced by a finished one.
fn write_output(path: Option<&Path>, bytes: &[u8]) -> io::Result<()> {
    let Some(path) = path else {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        return stdout.flush();
    };
    // A link is written through, and a device or a pipe cannot be replaced.
    let target = match fs::canonicalize(path) {
        Ok(existing) if !existing.is_file() => return fs::write(existing, bytes),
        Ok(existing) => existing,
        Err(_) => path.to_owned(),
    };
    let temporary = temporary_beside(&target)?;
    let outcome = File::create_new(&temporary)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&temporary, &target));
    if outcome.is_err() {
        // The first error is the one to report; the file may not even exist.
        let _ = fs::remove_file(&temporary);
    }
    outcome
}

fn temporary_beside(target: &Path) -> io::Result<PathBuf> {
    let name = target.file_name().ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, "the path does not name a file")
    })?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}", std::process::id()));
    Ok(target.with_file_name(hidden))
}
