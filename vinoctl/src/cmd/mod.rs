//! What each command does, a module for each noun.

mod graft;
mod kernel;
mod log;
mod point;
mod run;
mod trace;
mod version;

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

/// Says on standard error what a person may want to do next; programs are not told.
fn suggest(output: &Output, next: &str) {
    if output.is_table() {
        eprintln!("next: {next}");
    }
}

/// Reads a file that the user named.
fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| {
        let exit = match error.kind() {
            std::io::ErrorKind::NotFound => Exit::NotFound,
            _ => Exit::Error,
        };
        Failure::new(exit, format!("cannot read {}: {error}", path.display()))
    })
}
