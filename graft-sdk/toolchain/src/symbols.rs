//! What an object defines and what it lacks, as `nm` says.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::command;
use crate::error::BuildError;

/// The global symbols of an object.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    pub(crate) defined: BTreeSet<String>,
    pub(crate) undefined: BTreeSet<String>,
}

/// Lists the global symbols of an object.
pub(crate) fn read(object: &Path) -> Result<Symbols, BuildError> {
    let mut nm = Command::new("nm");
    let text = command::binutils(nm.args(["-g", "-P"]).arg(object), "nm")?;
    let mut symbols = Symbols::default();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let (Some(name), Some(kind)) = (words.next(), words.next()) else {
            continue;
        };
        // Weak symbols that are undefined are undefined all the same: nobody else will come.
        match kind {
            "U" | "w" | "v" => symbols.undefined.insert(name.to_owned()),
            _ => symbols.defined.insert(name.to_owned()),
        };
    }
    Ok(symbols)
}
