//! Runs tools.

use std::process::{Command, Output, Stdio};

use crate::error::BuildError;

/// Splits a command such as `ccache gcc` into the program and its first arguments.
pub(crate) fn of(text: &str) -> Result<Command, BuildError> {
    let mut words = text.split_whitespace();
    let program = words.next().ok_or(BuildError::EmptyCommand)?;
    let mut command = Command::new(program);
    command.args(words);
    Ok(command)
}

/// Runs a tool to its end and captures what it prints.
pub(crate) fn output(command: &mut Command, tool: &str) -> Result<Output, BuildError> {
    let output = command.stdin(Stdio::null()).output();
    output.map_err(|error| missing(tool, error))
}

/// Runs a tool of binutils, and fails with what it printed.
pub(crate) fn binutils(command: &mut Command, tool: &'static str) -> Result<String, BuildError> {
    let output = output(command, tool)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(BuildError::Binutils { tool, message })
}

pub(crate) fn missing(tool: &str, error: std::io::Error) -> BuildError {
    BuildError::MissingTool {
        tool: tool.to_owned(),
        error,
    }
}
