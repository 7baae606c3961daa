//! What is wrong with an interface header: the place, the text, the message and the fix.

use std::fmt;

use crate::Source;

/// The most diagnostics that one compilation reports.
pub const DIAGNOSTICS_MAX: usize = 50;

/// A stretch of one line of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Line, counted from 1.
    pub(crate) line: u32,
    /// First column, in characters, counted from 1.
    pub(crate) column: u32,
    /// Width in characters, at least 1.
    pub(crate) width: u32,
}

impl Span {
    /// The place right after `self`.
    pub(crate) fn after(self) -> Span {
        Span {
            column: self.column + self.width,
            width: 1,
            ..self
        }
    }

    /// The stretch from the start of `self` to the end of `last`, or of the line if it is longer.
    pub(crate) fn to(self, last: Span) -> Span {
        let end = last.column + last.width;
        if last.line == self.line && end > self.column {
            Span {
                width: end - self.column,
                ..self
            }
        } else {
            self
        }
    }
}

/// One mistake in one declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The header's name.
    pub file: String,
    /// Line, counted from 1.
    pub line: u32,
    /// Column in characters, counted from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: String,
    /// The line of text.
    text: String,
    /// How many characters from `column` on are meant.
    width: u32,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagnostic { line, column, .. } = self;
        writeln!(f, "{}:{line}:{column}: {}", self.file, self.message)?;
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        writeln!(f, " {number} | {}", self.text)?;
        // Tabs before the caret keep it in place however wide a terminal shows them.
        let lead: String = self.text.chars().take(*column as usize - 1).collect();
        let lead: String = lead
            .chars()
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        let carets = "^".repeat(self.width as usize);
        writeln!(f, " {margin} | {lead}{carets}")?;
        write!(f, " {margin} = {}", self.fix)
    }
}

/// Every mistake that one compilation found, at least one where it is returned as an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    total: usize,
}

impl Diagnostics {
    /// The first [`DIAGNOSTICS_MAX`] diagnostics.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.found.iter()
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// How many mistakes there are, shown or not.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// Puts the diagnostics in the order of the text.
    pub(crate) fn sort(&mut self, sources: &[Source]) {
        let place = |file: &str| sources.iter().position(|source| source.name == file);
        self.found
            .sort_by_key(|found| (place(&found.file), found.line, found.column));
    }

    pub(crate) fn report(&mut self, source: &Source, span: Span, message: String, fix: String) {
        self.total += 1;
        if self.found.len() == DIAGNOSTICS_MAX {
            return;
        }
        let text = source.text.lines().nth(span.line as usize - 1);
        self.found.push(Diagnostic {
            file: source.name.clone(),
            line: span.line,
            column: span.column,
            message,
            fix,
            text: text.unwrap_or_default().to_owned(),
            width: span.width,
        });
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.found.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{diagnostic}")?;
        }
        let hidden = self.total - self.found.len();
        if hidden > 0 {
            write!(f, "\nand {hidden} more")?;
        }
        Ok(())
    }
}
