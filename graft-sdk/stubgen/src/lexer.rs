//! Splits an interface header into tokens with their places.
//!
//! Preprocessor lines are dropped: the headers that they include are compiled with this one.
//! Comments are dropped, except `///` comments, which belong to the declaration after them.

use crate::diagnostic::{Diagnostics, Span};
use crate::{SOURCE_BYTES_MAX, Source};

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword.
    Word(String),
    /// A number, a character or a string: its text.
    Literal(String),
    /// One character of punctuation.
    Mark(char),
    /// The text of a `///` line.
    Doc(String),
    /// The end of the text.
    End,
}

/// A token and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

/// Splits a whole source; the last token is always [`Kind::End`].
pub(crate) fn tokenize(source: &Source, diagnostics: &mut Diagnostics) -> Vec<Token> {
    let mut lexer = Lexer {
        source,
        diagnostics,
        chars: source.text.chars().collect(),
        at: 0,
        line: 1,
        line_start: 0,
        tokens: Vec::new(),
    };
    if source.text.len() > SOURCE_BYTES_MAX {
        let span = lexer.span(0);
        let bytes = source.text.len();
        lexer.report(
            span,
            format!("the header has {bytes} bytes, the limit is {SOURCE_BYTES_MAX}"),
            "split it by class family",
        );
        lexer.at = lexer.chars.len();
    }
    lexer.run();
    lexer.tokens
}

struct Lexer<'a> {
    source: &'a Source,
    diagnostics: &'a mut Diagnostics,
    chars: Vec<char>,
    at: usize,
    line: u32,
    line_start: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn run(&mut self) {
        while self.at < self.chars.len() {
            let start = self.at;
            let c = self.chars[start];
            match c {
                '\n' => self.newline(),
                '#' if self.chars[self.line_start..start]
                    .iter()
                    .all(|c| c.is_whitespace()) =>
                {
                    self.skip_directive();
                }
                '/' if self.starts_with("///") => self.doc(),
                '/' if self.starts_with("//") => self.skip_line(),
                '/' if self.starts_with("/*") => self.skip_comment(),
                '"' | '\'' => self.quoted(c),
                _ if c.is_whitespace() => self.at += 1,
                _ if c.is_ascii_alphabetic() || c == '_' => {
                    let text = self.take_word();
                    self.push(start, Kind::Word(text));
                }
                _ if c.is_ascii_digit() => {
                    let text = self.take_word();
                    self.push(start, Kind::Literal(text));
                }
                _ if c.is_ascii_punctuation() => {
                    self.at += 1;
                    self.push(start, Kind::Mark(c));
                }
                _ => {
                    self.at += 1;
                    let span = self.span(start);
                    self.report(
                        span,
                        format!("character `{}` outside a comment", c.escape_default()),
                        "declarations are written in ASCII",
                    );
                }
            }
        }
        let span = self.span(self.at);
        self.tokens.push(Token {
            kind: Kind::End,
            span,
        });
    }

    fn starts_with(&self, text: &str) -> bool {
        let rest = &self.chars[self.at..];
        text.chars()
            .enumerate()
            .all(|(i, c)| rest.get(i) == Some(&c))
    }

    fn newline(&mut self) {
        self.at += 1;
        self.line += 1;
        self.line_start = self.at;
    }

    /// Skips to the end of the line, which it leaves.
    fn skip_line(&mut self) {
        while self.at < self.chars.len() && self.chars[self.at] != '\n' {
            self.at += 1;
        }
    }

    /// Skips a preprocessor directive and the lines that continue it.
    fn skip_directive(&mut self) {
        loop {
            self.skip_line();
            let continued = self.at > 0 && self.chars[self.at - 1] == '\\';
            if !continued || self.at >= self.chars.len() {
                return;
            }
            self.newline();
        }
    }

    fn skip_comment(&mut self) {
        let start = self.span(self.at).to(self.span(self.at + 1));
        self.at += 2;
        while self.at < self.chars.len() {
            if self.starts_with("*/") {
                self.at += 2;
                return;
            }
            if self.chars[self.at] == '\n' {
                self.newline();
            } else {
                self.at += 1;
            }
        }
        self.report(
            start,
            "the comment does not end".to_owned(),
            "close it with `*/`",
        );
    }

    fn doc(&mut self) {
        let start = self.at;
        self.skip_line();
        let text: String = self.chars[start + 3..self.at].iter().collect();
        let text = text
            .strip_prefix(' ')
            .unwrap_or(&text)
            .trim_end()
            .to_owned();
        self.push(start, Kind::Doc(text));
    }

    fn quoted(&mut self, quote: char) {
        let start = self.at;
        self.at += 1;
        while let Some(&c) = self.chars.get(self.at) {
            if c == '\n' {
                break;
            }
            self.at += if c == '\\' { 2 } else { 1 };
            if c == quote {
                let text = self.chars[start..self.at].iter().collect();
                self.push(start, Kind::Literal(text));
                return;
            }
        }
        self.at = self.at.min(self.chars.len());
        let span = self.span(start);
        self.report(
            span,
            "the literal does not end on its line".to_owned(),
            &format!("close it with {quote}"),
        );
    }

    fn take_word(&mut self) -> String {
        let start = self.at;
        while let Some(&c) = self.chars.get(self.at) {
            if !c.is_ascii_alphanumeric() && c != '_' {
                break;
            }
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn push(&mut self, start: usize, kind: Kind) {
        let span = self.span(start);
        self.tokens.push(Token { kind, span });
    }

    /// The stretch of the current line from `start` to here.
    fn span(&self, start: usize) -> Span {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span {
            line: self.line,
            column: count(start - self.line_start.min(start)) + 1,
            width: count(self.at.saturating_sub(start)).max(1),
        }
    }

    fn report(&mut self, span: Span, message: String, fix: &str) {
        self.diagnostics
            .report(self.source, span, message, fix.to_owned());
    }
}
