//! Why a command did not succeed, and the exit code that says so.
//!
//! A [`Failure`] is what every command returns instead of success: an [`Exit`] for scripts, a
//! message for people and, where one is known, what to do next. It is printed once, by `main`.

use std::fmt;
use std::process::ExitCode;

/// The documented exit codes of `vinoctl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command did what it was asked.
    Success = 0,
    /// Something failed that has no code of its own.
    Error = 1,
    /// The command line, or a request made from it, was malformed.
    Usage = 2,
    /// A named thing does not exist.
    NotFound = 3,
    /// The verifier, the linker or the loader refused the graft.
    GraftRejected = 4,
    /// The run finished, but a graft was removed from it for misbehaving.
    GraftFault = 5,
    /// The deadline passed.
    Timeout = 6,
    /// The daemon could not be reached.
    Unreachable = 7,
    /// Interrupted from the keyboard, as shells report it.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// A command that did not succeed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What the process exits with.
    pub(crate) exit: Exit,
    message: Option<String>,
    advice: Option<String>,
}

impl Failure {
    /// Fails with a message in the house form: lowercase, no full stop.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure {
            exit,
            message: Some(message.into()),
            advice: None,
        }
    }

    /// Fails without a word: what was to be said is already on standard output.
    pub(crate) fn silent(exit: Exit) -> Failure {
        Failure {
            exit,
            message: None,
            advice: None,
        }
    }

    /// Adds what to do next.
    pub(crate) fn with_advice(mut self, advice: impl Into<String>) -> Failure {
        self.advice = Some(advice.into());
        self
    }

    /// Fails because the command line asks for something that makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, message)
    }

    /// Fails with the whole chain of `error`, joined once, here.
    pub(crate) fn from_error(context: &str, error: &dyn std::error::Error) -> Failure {
        Failure::new(
            Exit::Error,
            format!("{context}: {}", vinod::error_chain(error)),
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(message) = &self.message {
            writeln!(f, "error: {message}")?;
        }
        if let Some(advice) = &self.advice {
            writeln!(f, "help: {advice}")?;
        }
        Ok(())
    }
}

/// Failures of the standard output are the only errors without context.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            // The reader has seen enough (`| head`): not an error of ours.
            return Failure::silent(Exit::Success);
        }
        Failure::from_error("cannot write to standard output", &error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let failure = Failure::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        assert_eq!(failure.exit, Exit::Success);
        assert_eq!(failure.to_string(), "");
    }

    #[test]
    fn a_failure_prints_its_message_and_then_the_advice() {
        let failure = Failure::new(Exit::NotFound, "no run 7").with_advice("vinoctl run list");
        assert_eq!(
            failure.to_string(),
            "error: no run 7\nhelp: vinoctl run list\n"
        );
    }
}
