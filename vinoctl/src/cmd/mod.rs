//! What each command does, a module for each noun.

mod graft;
mod kernel;
mod log;
mod point;
mod run;
mod trace;
mod version;

use std::io::Write as _;
use std::path::Path;

use crate::args::{Cli, Command};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::{bench, demo};

/// Does what the command line asks.
pub(crate) async fn execute(cli: Cli) -> Result<(), Failure> {
    let Cli { globals, command } = cli;
    let mut output = Output::new(globals.format());
    match command {
        Command::Demo => demo::execute(&mut output).await,
        Command::Point(verb) => point::execute(verb, &globals, &mut output).await,
        Command::Graft(verb) => graft::execute(verb, &globals, &mut output).await,
        Command::Trace(verb) => trace::execute(verb, &globals, &mut output).await,
        Command::Kernel(verb) => kernel::execute(verb, &globals, &mut output).await,
        Command::Run(verb) => run::execute(verb, &globals, &mut output).await,
        Command::Log(verb) => log::execute(verb, &globals, &mut output).await,
        Command::Bench(args) => bench::execute(args, &mut output).await,
        Command::Version => version::execute(&globals, &mut output).await,
    }
}

/// Says something on standard error to a person; programs are not told.
fn tell(output: &Output, message: &str) {
    if output.is_table() {
        // The work is done, whether or not anybody can read about it.
        let _ = writeln!(std::io::stderr(), "{message}");
    }
}

/// Says what a person may want to do next.
fn suggest(output: &Output, next: &str) {
    tell(output, &format!("next: {next}"));
}

/// Reads a file that the user named, whole.
fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| {
        let exit = match error.kind() {
            std::io::ErrorKind::NotFound => Exit::NotFound,
            _ => Exit::Error,
        };
        Failure::new(exit, format!("cannot read {}: {error}", path.display()))
    };
    // A device or a pipe has no end that is known beforehand.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        let message = format!("cannot read {}: it is not a regular file", path.display());
        return Err(Failure::new(Exit::Error, message));
    }
    std::fs::read(path).map_err(failed)
}
