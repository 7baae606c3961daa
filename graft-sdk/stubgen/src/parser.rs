//! Parses tokens into declarations.
//!
//! Only what concerns grafts is understood: classes, enumerations, `GRAFTABLE` and
//! `GRAFT_CALLABLE`. Everything else that C++ allows in a header, bodies of inline functions
//! above all, is skipped as balanced brackets. After a mistake the parser goes on with the next
//! member, so that one run shows every mistake.

mod cursor;
mod signature;

use crate::Source;
use crate::diagnostic::{Diagnostics, Span};
use crate::lexer::{Kind, Token};
use crate::syntax::{ClassSyntax, DocLines, EnumSyntax, File, FunctionKind, FunctionSyntax};

/// A mistake: its place, what is wrong and what to do.
struct Mistake {
    span: Span,
    message: String,
    fix: String,
}

type Parsed<T> = Result<T, Mistake>;

/// Parses all declarations of one source.
pub(crate) fn parse(source: &Source, tokens: &[Token], diagnostics: &mut Diagnostics) -> File {
    let mut parser = Parser {
        source,
        tokens,
        at: 0,
        diagnostics,
    };
    parser.file()
}

struct Parser<'a> {
    source: &'a Source,
    tokens: &'a [Token],
    at: usize,
    diagnostics: &'a mut Diagnostics,
}

impl Parser<'_> {
    fn file(&mut self) -> File {
        let mut file = File::default();
        loop {
            let docs = self.docs();
            if self.peek().kind == Kind::End {
                return file;
            }
            let is_template = self.template_head();
            if self.is_word("class") || self.is_word("struct") {
                if let Some(class) = self.class(docs, is_template) {
                    file.classes.push(class);
                }
            } else if self.is_word("enum") {
                if let Some(declared) = self.enumeration(docs) {
                    file.enums.push(declared);
                }
            } else {
                self.refuse_outside_class();
                self.skip_declaration();
                // A brace that nothing opened would otherwise be met again and again.
                self.take_mark('}');
            }
        }
    }

    /// Skips `template <...>` and tells whether it was there.
    fn template_head(&mut self) -> bool {
        if !self.take_word("template") {
            return false;
        }
        let mut depth = 0_u32;
        while self.peek().kind != Kind::End {
            if self.take_mark('<') {
                depth += 1;
            } else if self.take_mark('>') {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return true;
                }
            } else {
                self.at += 1;
            }
        }
        true
    }

    fn refuse_outside_class(&mut self) {
        for macro_name in ["GRAFTABLE", "GRAFT_CALLABLE"] {
            if self.is_word(macro_name) {
                let mistake = Mistake {
                    span: self.peek().span,
                    message: format!("{macro_name} outside a class"),
                    fix: "declare it in the body of the class it belongs to".to_owned(),
                };
                self.report(mistake);
            }
        }
    }

    fn class(&mut self, docs: DocLines, is_template: bool) -> Option<ClassSyntax> {
        self.at += 1;
        let Ok(name) = self.name("class name") else {
            self.skip_declaration();
            return None;
        };
        let mut base = None;
        if self.take_mark(':') {
            let _ = self.take_word("public");
            base = self.name("base class").ok();
        }
        if !self.take_mark('{') {
            // A forward declaration, or a variable of a class type.
            self.skip_declaration();
            return None;
        }
        let functions = self.members();
        self.take_mark(';');
        Some(ClassSyntax {
            name,
            base,
            is_template,
            docs,
            functions,
        })
    }

    /// Parses up to and over the brace that closes a class.
    fn members(&mut self) -> Vec<FunctionSyntax> {
        let mut functions = Vec::new();
        loop {
            let docs = self.docs();
            if self.peek().kind == Kind::End || self.take_mark('}') {
                return functions;
            }
            let start = self.at;
            let parsed = if self.take_word("GRAFTABLE") {
                self.graftable(docs)
            } else if self.take_word("GRAFT_CALLABLE") {
                self.callable(docs)
            } else {
                if self.is_access_label() {
                    self.at += 2;
                } else {
                    self.skip_declaration();
                }
                continue;
            };
            match parsed {
                Ok(function) => functions.push(function),
                Err(mistake) => {
                    self.report(mistake);
                    self.at = start;
                    self.skip_declaration();
                }
            }
        }
    }

    fn is_access_label(&self) -> bool {
        let word = ["public", "protected", "private"]
            .iter()
            .any(|label| self.is_word(label));
        let colon = self.tokens.get(self.at + 1).map(|token| &token.kind);
        word && colon == Some(&Kind::Mark(':'))
    }

    /// `(type, class, function, (parameters));` after `GRAFTABLE`.
    fn graftable(&mut self, docs: DocLines) -> Parsed<FunctionSyntax> {
        self.expect('(', "after GRAFTABLE")?;
        let returns = self.type_name(0)?;
        self.expect(',', "between return type and class")?;
        let class = self.name("class name")?;
        self.expect(',', "between class and function")?;
        let name = self.name("function name")?;
        self.expect(',', "between function and arguments")?;
        let parameters = self.parameters()?;
        self.expect(')', "after the argument list of GRAFTABLE")?;
        self.expect(';', "after GRAFTABLE(...)")?;
        Ok(FunctionSyntax {
            kind: FunctionKind::Graftable { class },
            returns,
            name,
            parameters,
            docs,
        })
    }

    /// `[static] type function(parameters);` or with a body, after `GRAFT_CALLABLE`.
    fn callable(&mut self, docs: DocLines) -> Parsed<FunctionSyntax> {
        let is_static = self.take_word("static");
        let returns = self.type_name(0)?;
        if self.is_mark('(') {
            return Err(Mistake {
                span: returns.span,
                message: format!("graft-callable `{}` has no return type", returns.name.text),
                fix: "write the type before its name, for example `GRAFT_CALLABLE status_t`"
                    .to_owned(),
            });
        }
        let name = self.name("function name")?;
        let parameters = self.parameters()?;
        let _ = self.take_word("const");
        let has_body = self.is_mark('{');
        if has_body {
            self.skip_brackets();
            self.take_mark(';');
        } else {
            self.expect(';', "after the declaration")?;
        }
        Ok(FunctionSyntax {
            kind: FunctionKind::Callable {
                is_static,
                has_body,
            },
            returns,
            name,
            parameters,
            docs,
        })
    }

    fn enumeration(&mut self, docs: DocLines) -> Option<EnumSyntax> {
        self.at += 1;
        let Kind::Word(_) = self.peek().kind else {
            // An unnamed enumeration declares constants, no type.
            self.skip_declaration();
            return None;
        };
        match self.enumeration_body(docs) {
            Ok(declared) => Some(declared),
            Err(mistake) => {
                self.report(mistake);
                self.skip_declaration();
                None
            }
        }
    }

    fn enumeration_body(&mut self, docs: DocLines) -> Parsed<EnumSyntax> {
        let name = self.name("enumeration name")?;
        self.expect('{', "after the name of an enumeration")?;
        let mut enumerators = Vec::new();
        loop {
            self.docs();
            if self.take_mark('}') {
                break;
            }
            let enumerator = self.name("enumerator")?;
            self.expect('=', "after an enumerator: its value")?;
            let value = self.bound()?;
            enumerators.push((enumerator, value.text));
            if !self.take_mark(',') && !self.is_mark('}') {
                self.expect('}', "or `,` after an enumerator")?;
            }
        }
        self.expect(';', "after an enumeration")?;
        Ok(EnumSyntax {
            name,
            docs,
            enumerators,
        })
    }
}
