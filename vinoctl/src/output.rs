//! Standard output in the format that was asked for.
//!
//! Data goes to standard output through [`Output`], in one of the [`Format`]s; progress and
//! messages go to standard error. A resource is printable when it is [`Printable`]: it serialises
//! to its JSON and knows its name, its table row and its details.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use clap::ValueEnum;
use serde::Serialize;

use crate::failure::Failure;

/// Between two columns of a table.
const GUTTER: &str = "  ";
/// Columns of the labels that `get` shows.
const LABEL_COLUMNS: usize = 18;

/// How data is written to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns for people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// Only the names, one a line.
    Name,
}

/// One column of a table: its heading and on which side its cells line up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    heading: &'static str,
    is_number: bool,
}

/// A column of text.
pub(crate) const fn text(heading: &'static str) -> Column {
    Column {
        heading,
        is_number: false,
    }
}

/// A column of numbers.
pub(crate) const fn number(heading: &'static str) -> Column {
    Column {
        heading,
        is_number: true,
    }
}

/// Something that every format can show.
pub(crate) trait Printable: Serialize {
    /// The columns of its table.
    const COLUMNS: &'static [Column];

    /// The name that other commands accept for it.
    fn name(&self) -> String;

    /// One cell for each column.
    fn row(&self) -> Vec<String>;

    /// What `get` shows beyond the row, as (label, value).
    fn details(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// Standard output, locked and buffered, with the format that was asked for.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
    stdout: BufWriter<StdoutLock<'static>>,
}

impl Output {
    /// Locks standard output.
    pub(crate) fn new(format: Format) -> Output {
        Output {
            format,
            stdout: BufWriter::new(io::stdout().lock()),
        }
    }

    /// True when people, not programs, read the output.
    pub(crate) fn is_table(&self) -> bool {
        self.format == Format::Table
    }

    /// True when a person reads tables on a terminal and does not object to colour.
    pub(crate) fn is_coloured(&self) -> bool {
        let objects = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        self.is_table() && !objects && io::stdout().is_terminal()
    }

    /// True when only names are wanted.
    pub(crate) fn names_only(&self) -> bool {
        self.format == Format::Name
    }

    /// Prints all of `items`: a table, one JSON array, or a line for each.
    pub(crate) fn list<T: Printable>(&mut self, items: &[T]) -> Result<(), Failure> {
        match self.format {
            Format::Table => {
                let rows = items.iter().map(Printable::row);
                self.table(T::COLUMNS, rows)?;
            }
            Format::Json => self.json(&items)?,
            Format::Jsonl => items.iter().try_for_each(|item| self.json_line(item))?,
            Format::Name => items.iter().try_for_each(|item| self.line(&item.name()))?,
        }
        self.flush()
    }

    /// Prints one item in full.
    pub(crate) fn item<T: Printable>(&mut self, item: &T) -> Result<(), Failure> {
        match self.format {
            Format::Table => {
                let headings = T::COLUMNS
                    .iter()
                    .map(|column| column.heading.to_lowercase());
                let details = item.details();
                let details = details
                    .into_iter()
                    .map(|(label, value)| (label.to_string(), value));
                for (label, value) in headings.zip(item.row()).chain(details) {
                    self.field(&label, &value)?;
                }
            }
            Format::Json => self.json(item)?,
            Format::Jsonl => self.json_line(item)?,
            Format::Name => self.line(&item.name())?,
        }
        self.flush()
    }

    /// Prints that a resource is gone.
    pub(crate) fn deleted(&mut self, noun: &str, name: &str) -> Result<(), Failure> {
        match self.format {
            Format::Table => self.line(&format!("{noun} {name} deleted"))?,
            Format::Json | Format::Jsonl => {
                self.json_line(&serde_json::json!({ "deleted": name }))?;
            }
            Format::Name => self.line(name)?,
        }
        self.flush()
    }

    /// Prints one element of a stream as soon as it is known; `line` is how a person reads it.
    pub(crate) fn stream_item<T: Serialize>(
        &mut self,
        item: &T,
        name: &str,
        line: &str,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Table => self.line(line)?,
            // A stream has no end to close a document with: it is JSON lines either way.
            Format::Json | Format::Jsonl => self.json_line(item)?,
            Format::Name => self.line(name)?,
        }
        self.flush()
    }

    /// Prints the resource that a stream was about, once the stream has ended.
    pub(crate) fn last_of_stream<T: Printable>(&mut self, item: &T) -> Result<(), Failure> {
        match self.format {
            Format::Table | Format::Name => self.item(item),
            Format::Json | Format::Jsonl => {
                self.json_line(item)?;
                self.flush()
            }
        }
    }

    /// Prints a value that has no table of its own.
    pub(crate) fn document<T: Serialize>(&mut self, value: &T) -> Result<(), Failure> {
        match self.format {
            Format::Jsonl => self.json_line(value)?,
            Format::Table | Format::Json | Format::Name => self.json(value)?,
        }
        self.flush()
    }

    /// Prints a table without borders, as wide as it needs to be.
    pub(crate) fn table(
        &mut self,
        columns: &[Column],
        rows: impl Iterator<Item = Vec<String>>,
    ) -> Result<(), Failure> {
        let headings = columns
            .iter()
            .map(|column| column.heading.to_string())
            .collect();
        let rows: Vec<Vec<String>> = std::iter::once(headings).chain(rows).collect();
        let mut widths = vec![0; columns.len()];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        for row in &rows {
            let cells = row.iter().zip(&widths).zip(columns);
            let cells = cells.map(|((cell, &width), column)| match column.is_number {
                true => format!("{cell:>width$}"),
                false => format!("{cell:<width$}"),
            });
            let line = cells.collect::<Vec<_>>().join(GUTTER);
            self.line(line.trim_end())?;
        }
        Ok(())
    }

    /// Prints `label: value`, the value lined up and wrapped lines kept under it.
    fn field(&mut self, label: &str, value: &str) -> Result<(), Failure> {
        let mut lines = value.lines();
        let first = lines.next().unwrap_or("");
        self.line(format!("{label:<LABEL_COLUMNS$} {first}").trim_end())?;
        for rest in lines {
            self.line(&format!("{:<LABEL_COLUMNS$} {rest}", ""))?;
        }
        Ok(())
    }

    /// Prints one line.
    pub(crate) fn line(&mut self, line: &str) -> Result<(), Failure> {
        Ok(writeln!(self.stdout, "{line}")?)
    }

    fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
        serde_json::to_writer_pretty(&mut self.stdout, value).map_err(io::Error::from)?;
        Ok(writeln!(self.stdout)?)
    }

    fn json_line<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.stdout, value).map_err(io::Error::from)?;
        Ok(writeln!(self.stdout)?)
    }

    /// Hands what is buffered to the reader.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.stdout.flush()?)
    }
}

/// True when a progress bar belongs on standard error.
pub(crate) fn progress_wanted() -> bool {
    io::stderr().is_terminal()
}

/// Writes `n` with a comma between each three digits.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three_digits() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(12_672_123), "12,672,123");
    }
}
