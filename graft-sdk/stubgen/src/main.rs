//! The `stubgen` command: reads interface headers, writes what is generated from them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

use stubgen::{SOURCE_BYTES_MAX, Source};

const USAGE: &str = "\
usage: stubgen [--check] [--interface DIR] [--out ROOT]

Compiles the *.H headers of DIR (graft-sdk/interface) and writes the kernel dispatch, the C headers
and the reference under ROOT (.), the root of the repository.

  --check   write nothing; fail if a file is not what would be written
";

/// The most headers an interface may have.
const HEADERS_MAX: usize = 256;

enum Failure {
    Usage(String),
    Other(String),
}

struct Options {
    check: bool,
    interface: PathBuf,
    out: PathBuf,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(message)) => {
            eprintln!("stubgen: {message}\n\n{USAGE}");
            ExitCode::from(2)
        }
        Err(Failure::Other(message)) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let Some(options) = parse_arguments(env::args_os().skip(1))? else {
        print!("{USAGE}");
        return Ok(());
    };
    let sources = read_headers(&options.interface)?;
    let interface = stubgen::compile(&sources)
        .map_err(|diagnostics| Failure::Other(diagnostics.to_string()))?;
    let mut stale = Vec::new();
    for file in stubgen::generate(&interface) {
        let path = options.out.join(file.path);
        if fs::read(&path).is_ok_and(|text| text == file.text.as_bytes()) {
            continue;
        }
        if options.check {
            stale.push(file.path);
            continue;
        }
        fs::write(&path, &file.text).map_err(|error| cannot("write", &path, &error))?;
        println!("wrote {}", path.display());
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(Failure::Other(format!(
        "not up to date: {}; run `cargo run -p stubgen`",
        stale.join(", ")
    )))
}

fn parse_arguments(
    mut arguments: impl Iterator<Item = OsString>,
) -> Result<Option<Options>, Failure> {
    let mut options = Options {
        check: false,
        interface: PathBuf::from("graft-sdk/interface"),
        out: PathBuf::from("."),
    };
    while let Some(argument) = arguments.next() {
        let mut value = |name: &str| {
            let value = arguments.next().map(PathBuf::from);
            value.ok_or_else(|| Failure::Usage(format!("{name} needs a value")))
        };
        match argument.to_str() {
            Some("--check") => options.check = true,
            Some("--interface") => options.interface = value("--interface")?,
            Some("--out") => options.out = value("--out")?,
            Some("-h" | "--help") => return Ok(None),
            _ => {
                let shown = argument.display();
                return Err(Failure::Usage(format!("unknown argument `{shown}`")));
            }
        }
    }
    Ok(Some(options))
}

/// Reads the `*.H` files of a folder, sorted by name.
fn read_headers(folder: &Path) -> Result<Vec<Source>, Failure> {
    let entries = fs::read_dir(folder).map_err(|error| cannot("read", folder, &error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry
            .map_err(|error| cannot("read", folder, &error))?
            .path();
        if path.extension().is_some_and(|extension| extension == "H") {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() || paths.len() > HEADERS_MAX {
        return Err(Failure::Other(format!(
            "{}: {} headers, between 1 and {HEADERS_MAX} *.H files are due",
            folder.display(),
            paths.len()
        )));
    }
    let mut sources = Vec::new();
    for path in paths {
        let bytes = fs::metadata(&path).map_err(|error| cannot("read", &path, &error))?;
        if bytes.len() > SOURCE_BYTES_MAX as u64 {
            let shown = path.display();
            return Err(Failure::Other(format!(
                "{shown}: over {SOURCE_BYTES_MAX} bytes: split it by class family"
            )));
        }
        let text = fs::read_to_string(&path).map_err(|error| cannot("read", &path, &error))?;
        let name = path.display().to_string();
        sources.push(Source { name, text });
    }
    Ok(sources)
}

fn cannot(verb: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::Other(format!("cannot {verb} {}: {error}", path.display()))
}
