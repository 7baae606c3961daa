//! Parses what stands between the parentheses of a function: attributes, types, names.

use super::{Mistake, Parsed, Parser};
use crate::diagnostic::Span;
use crate::lexer::Kind;
use crate::syntax::{Attribute, Name, ParameterSyntax, TypeSyntax};

/// How deep types in `<...>` may nest.
const TYPE_DEPTH_MAX: u32 = 8;

impl Parser<'_> {
    /// `(parameter, ...)`, `()` or `(void)`.
    pub(super) fn parameters(&mut self) -> Parsed<Vec<ParameterSyntax>> {
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

    pub(super) fn bound(&mut self) -> Parsed<Name> {
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

    pub(super) fn type_name(&mut self, depth: u32) -> Parsed<TypeSyntax> {
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
}
