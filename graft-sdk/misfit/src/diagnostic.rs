//! What misfit says about a line that it cannot make safe.

use std::fmt;

/// The most problems reported for one input; a file with more is not repaired one line at a time.
pub const DIAGNOSTICS_MAX: usize = 100;

/// One line of the input that cannot be made safe, and what its author can do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Diagnostic {
    /// Line of the input, counted from 1.
    pub line: u32,
    /// The statement as it stands in the input, without surrounding blanks.
    pub text: String,
    /// What is wrong with it.
    pub message: String,
    /// What to do next, usually a compiler flag.
    pub advice: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagnostic {
            line,
            text,
            message,
            advice,
        } = self;
        write!(f, "line {line}: {message}: `{text}`; {advice}")
    }
}

/// Why one statement cannot be made safe, before it is known where the statement stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) advice: String,
}

impl Refusal {
    pub(crate) fn new(message: impl Into<String>, advice: impl Into<String>) -> Refusal {
        Refusal {
            message: message.into(),
            advice: advice.into(),
        }
    }

    pub(crate) fn at(self, line: u32, text: &str) -> Diagnostic {
        Diagnostic {
            line,
            text: text.trim().to_owned(),
            message: self.message,
            advice: self.advice,
        }
    }
}

/// Collects diagnostics up to [`DIAGNOSTICS_MAX`].
#[derive(Debug, Default)]
pub(crate) struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    pub(crate) fn report(&mut self, refusal: Refusal, line: u32, text: &str) {
        if self.0.len() < DIAGNOSTICS_MAX {
            self.0.push(refusal.at(line, text));
        }
    }

    /// Returns `value` if nothing was reported, and what was reported in line order otherwise.
    pub(crate) fn finish<T>(mut self, value: T) -> Result<T, Vec<Diagnostic>> {
        if self.0.is_empty() {
            return Ok(value);
        }
        self.0.sort_by_key(|diagnostic| diagnostic.line);
        Err(self.0)
    }
}
