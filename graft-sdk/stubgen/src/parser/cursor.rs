//! Moves over tokens: looks, takes, demands, skips.

use super::{Mistake, Parsed, Parser};
use crate::diagnostic::Span;
use crate::lexer::{Kind, Token};
use crate::syntax::{DocLines, Name};

impl Parser<'_> {
    /// Takes the `///` lines that stand here.
    pub(super) fn docs(&mut self) -> DocLines {
        let mut lines = Vec::new();
        while let Token {
            kind: Kind::Doc(text),
            span,
        } = self.peek()
        {
            lines.push((text.clone(), *span));
            self.at += 1;
        }
        lines
    }

    /// Skips to the end of a declaration: a `;`, or a body in braces and the `;` after it.
    ///
    /// Leaves the brace that closes the class around it, and any other declaration for grafts.
    pub(super) fn skip_declaration(&mut self) {
        let start = self.at;
        loop {
            match &self.peek().kind {
                Kind::End | Kind::Mark('}') => return,
                Kind::Word(word) if self.at > start && word.starts_with("GRAFT") => return,
                Kind::Mark(';') => {
                    self.at += 1;
                    return;
                }
                Kind::Mark('{') => {
                    self.skip_brackets();
                    self.take_mark(';');
                    return;
                }
                Kind::Mark('(') => self.skip_brackets(),
                _ => self.at += 1,
            }
        }
    }

    /// Skips a bracketed stretch, from its opening to its closing bracket.
    pub(super) fn skip_brackets(&mut self) {
        let mut depth = 0_u32;
        while self.peek().kind != Kind::End {
            match self.peek().kind {
                Kind::Mark('(' | '{') => depth += 1,
                Kind::Mark(')' | '}') => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    pub(super) fn peek(&self) -> &Token {
        // The last token is `End`, which nothing consumes.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(&self.peek().kind, Kind::Word(text) if text == word)
    }

    pub(super) fn is_mark(&self, mark: char) -> bool {
        self.peek().kind == Kind::Mark(mark)
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    pub(super) fn take_mark(&mut self, mark: char) -> bool {
        let found = self.is_mark(mark);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, mark: char, place: &str) -> Parsed<()> {
        if self.take_mark(mark) {
            return Ok(());
        }
        Err(Mistake {
            span: self.place_of_missing(),
            message: format!("{} where `{mark}` is due", describe(&self.peek().kind)),
            fix: format!("write `{mark}` {place}"),
        })
    }

    /// Where something is missing: here, or at the end of the line where the text before it ends.
    fn place_of_missing(&self) -> Span {
        let here = self.peek().span;
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        match before {
            Some(Token { span, .. }) if span.line < here.line => span.after(),
            _ => here,
        }
    }

    pub(super) fn name(&mut self, what: &str) -> Parsed<Name> {
        let token = self.peek().clone();
        if let Kind::Word(text) = token.kind {
            self.at += 1;
            return Ok(Name {
                text,
                span: token.span,
            });
        }
        Err(Mistake {
            span: token.span,
            message: format!("{} where a {what} is due", describe(&token.kind)),
            fix: "write `GRAFTABLE(status_t, class, function, (IN type name, ...));` or \
                  `GRAFT_CALLABLE type function(IN type name, ...);`"
                .to_owned(),
        })
    }

    pub(super) fn report(&mut self, mistake: Mistake) {
        let Mistake { span, message, fix } = mistake;
        self.diagnostics.report(self.source, span, message, fix);
    }
}

fn describe(kind: &Kind) -> String {
    match kind {
        Kind::Word(text) | Kind::Literal(text) => format!("`{text}`"),
        Kind::Mark(mark) => format!("`{mark}`"),
        Kind::Doc(_) => "a `///` comment".to_owned(),
        Kind::End => "the end of the header".to_owned(),
    }
}
