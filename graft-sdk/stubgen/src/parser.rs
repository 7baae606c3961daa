//! Parses tokens into declarations.
//!
//! Only what concerns grafts is understood: classes, enumerations, `GRAFTABLE` and
//! `GRAFT_CALLABLE`. Everything else that C++ allows in a header, bodies of inline functions
//! above all, is skipped as balanced brackets. After a mistake the parser goes on with the next
//! member, so that one run shows every mistake.

use crate::Source;
use crate::diagnostic::{Diagnostics, Span};
use crate::lexer::{Kind, Token};
use crate::syntax::{
    Attribute, ClassSyntax, DocLines, EnumSyntax, File, FunctionKind, FunctionSyntax, Name,
    ParameterSyntax, TypeSyntax,
};

/// How deep types in `<...>` may nest.
const TYPE_DEPTH_MAX: u32 = 8;

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

    /// `(parameter, ...)`, `()` or `(void)`.
    fn parameters(&mut self) -> Parsed<Vec<ParameterSyntax>> {
        self.expect('(', "before the arguments")?;
        let mut parameters = Vec::new();
        if self.take_mark(')') {
            return Ok(parameters);
        }
        let after = self.tokens.get(self.at + 1).map(|token| &token.kind);
        if self.is_word("void") && after == Some(&Kind::Mark(')')) {
            self.at += 2;
            return Ok(parameters);
        }
        loop {
            parameters.push(self.parameter()?);
            if self.take_mark(')') {
                return Ok(parameters);
            }
            self.expect(',', "or `)` after an argument")?;
        }
    }

    fn parameter(&mut self) -> Parsed<ParameterSyntax> {
        let mut attributes = Vec::new();
        while let Some(found) = self.attribute()? {
            attributes.push(found);
        }
        let parameter_type = self.type_name(0)?;
        let name = match self.peek().kind {
            Kind::Word(_) => Some(self.name("argument name")?),
            _ => None,
        };
        Ok(ParameterSyntax {
            attributes,
            parameter_type,
            name,
            end: self.peek().span,
        })
    }

    fn attribute(&mut self) -> Parsed<Option<(Attribute, Span)>> {
        let span = self.peek().span;
        let Kind::Word(word) = &self.peek().kind else {
            return Ok(None);
        };
        let attribute = match word.as_str() {
            "IN" => Attribute::In,
            "OUT" => Attribute::Out,
            "INOUT" => Attribute::InOut,
            "PTR" => Attribute::Ptr,
            "STRING" => Attribute::String,
            "ARRAY" => {
                self.at += 1;
                self.expect('(', "after ARRAY: the number of elements")?;
                let bound = self.bound()?;
                self.expect(')', "after the number of elements")?;
                return Ok(Some((Attribute::Array(bound), span)));
            }
            _ => return Ok(None),
        };
        self.at += 1;
        Ok(Some((attribute, span)))
    }

    fn bound(&mut self) -> Parsed<Name> {
        let token = self.peek().clone();
        match token.kind {
            Kind::Word(text) | Kind::Literal(text) => {
                self.at += 1;
                Ok(Name {
                    text,
                    span: token.span,
                })
            }
            _ => Err(Mistake {
                span: token.span,
                message: "ARRAY has no number of elements".to_owned(),
                fix: "write a number or the name of another argument, for example \
                      `ARRAY(n_pages)`"
                    .to_owned(),
            }),
        }
    }

    fn type_name(&mut self, depth: u32) -> Parsed<TypeSyntax> {
        let start = self.peek().span;
        if depth > TYPE_DEPTH_MAX {
            return Err(Mistake {
                span: start,
                message: format!("types nest deeper than {TYPE_DEPTH_MAX}"),
                fix: "name the inner type as a class".to_owned(),
            });
        }
        let is_const = self.take_word("const");
        let name = self.name("type")?;
        let mut end = name.span;
        let mut arguments = Vec::new();
        if self.take_mark('<') {
            loop {
                arguments.push(self.type_name(depth + 1)?);
                end = self.peek().span;
                if self.take_mark('>') {
                    break;
                }
                self.expect(',', "or `>` in a type")?;
            }
        }
        let mut pointers = 0;
        while self.is_mark('*') {
            end = self.peek().span;
            self.at += 1;
            pointers += 1;
        }
        if self.is_mark('&') {
            return Err(Mistake {
                span: self.peek().span,
                message: format!("`{}` is passed by reference", name.text),
                fix: "pass a pointer, with PTR or ARRAY(n) where it is copied".to_owned(),
            });
        }
        Ok(TypeSyntax {
            name,
            is_const,
            arguments,
            pointers,
            span: start.to(end),
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

    /// Takes the `///` lines that stand here.
    fn docs(&mut self) -> DocLines {
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
    fn skip_declaration(&mut self) {
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
    fn skip_brackets(&mut self) {
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

    fn peek(&self) -> &Token {
        // The last token is `End`, which nothing consumes.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(&self.peek().kind, Kind::Word(text) if text == word)
    }

    fn is_mark(&self, mark: char) -> bool {
        self.peek().kind == Kind::Mark(mark)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn take_mark(&mut self, mark: char) -> bool {
        let found = self.is_mark(mark);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, mark: char, place: &str) -> Parsed<()> {
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

    fn name(&mut self, what: &str) -> Parsed<Name> {
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

    fn report(&mut self, mistake: Mistake) {
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
