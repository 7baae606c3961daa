//! Assembly text as statements.
//!
//! A [`Program`] borrows the input. Labels, directives and instructions keep their order; comments
//! and blank lines are dropped. Instructions are also numbered on their own, in file order, because
//! liveness and the stack pass walk only them.

use crate::diagnostic::{Diagnostics, Refusal};
use crate::directive::{self, Section};
use crate::isa::{self, Effect, Kind};
use crate::operand::Operand;

/// The most operands of any instruction misfit knows.
const OPERANDS_MAX: usize = 5;

/// The whole input.
#[derive(Debug, Default)]
pub(crate) struct Program<'a> {
    pub(crate) statements: Vec<Statement<'a>>,
    pub(crate) instructions: Vec<Instruction<'a>>,
}

/// One label, directive or instruction.
#[derive(Debug)]
pub(crate) struct Statement<'a> {
    pub(crate) line: u32,
    pub(crate) text: &'a str,
    pub(crate) section: Section,
    pub(crate) kind: StatementKind<'a>,
}

#[derive(Debug)]
pub(crate) enum StatementKind<'a> {
    Label(&'a str),
    Directive {
        name: &'a str,
        arguments: &'a str,
    },
    Assignment {
        value: &'a str,
    },
    /// An index into [`Program::instructions`].
    Instruction(usize),
}

/// One instruction, with what it does.
#[derive(Debug)]
pub(crate) struct Instruction<'a> {
    /// An index into [`Program::statements`].
    pub(crate) statement: usize,
    /// The statement without prefixes that misfit drops.
    pub(crate) text: &'a str,
    pub(crate) prefix: Prefix,
    pub(crate) mnemonic: &'a str,
    pub(crate) operands: Vec<Operand<'a>>,
    /// Whether the target of a jump or call is written `*target`.
    pub(crate) indirect: bool,
    pub(crate) effect: Effect,
}

/// The one prefix that an instruction may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prefix {
    None,
    Lock,
    Rep,
    Repne,
}

impl Prefix {
    /// The prefix as the assembler reads it, with the blank that follows.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Prefix::None => "",
            Prefix::Lock => "lock ",
            Prefix::Rep => "rep ",
            Prefix::Repne => "repne ",
        }
    }
}

impl Program<'_> {
    /// Whether the compiler may have kept a value in a caller-saved register across a call.
    ///
    /// Of the compilers that sign their output only gcc does, without `-fno-ipa-ra`.
    pub(crate) fn may_keep_scratch(&self) -> bool {
        let signature = self
            .statements
            .iter()
            .rev()
            .find_map(|statement| match statement.kind {
                StatementKind::Directive {
                    name: ".ident",
                    arguments,
                } => Some(arguments),
                _ => None,
            });
        signature.is_none_or(|signature| signature.contains("GCC"))
    }
}

impl Program<'_> {
    /// Whether no label stands between two instructions.
    pub(crate) fn is_straight(&self, first: usize, last: usize) -> bool {
        let [from, to] = [first, last].map(|at| self.instructions[at].statement);
        let between = &self.statements[from..to];
        between
            .iter()
            .all(|statement| !matches!(statement.kind, StatementKind::Label(_)))
    }
}

impl<'a> Instruction<'a> {
    pub(crate) fn last(&self) -> Option<&Operand<'a>> {
        self.operands.last()
    }

    /// The symbol of a direct jump or call, without `@PLT`.
    pub(crate) fn direct_target(&self) -> Option<&'a str> {
        let memory = self.operands.first()?.memory()?;
        if self.indirect || !memory.is_absolute() || memory.segment.is_some() {
            return None;
        }
        let target = memory.displacement;
        Some(target.strip_suffix("@PLT").unwrap_or(target))
    }
}

/// Splits the input into statements and looks up what each instruction does.
///
/// Statements that misfit cannot make safe, whatever the options, are reported and left out.
pub(crate) fn parse<'a>(assembly: &'a str, problems: &mut Diagnostics) -> Program<'a> {
    let mut parser = Parser {
        program: Program::default(),
        sections: directive::Sections::default(),
        line: 0,
        pending: None,
        in_comment: false,
        problems,
    };
    for text in assembly.lines() {
        parser.line = parser.line.saturating_add(1);
        parser.line(text);
    }
    parser.finish();
    parser.program
}

struct Parser<'a, 'p> {
    program: Program<'a>,
    sections: directive::Sections,
    line: u32,
    /// A prefix that stood in a statement of its own, as clang prints `lock` and `rep`.
    pending: Option<Prefix>,
    in_comment: bool,
    problems: &'p mut Diagnostics,
}

impl<'a> Parser<'a, '_> {
    fn line(&mut self, text: &'a str) {
        let mut rest = text;
        while !rest.is_empty() {
            if self.in_comment {
                let Some(end) = rest.find("*/") else { return };
                self.in_comment = false;
                rest = &rest[end + 2..];
            }
            let (statement, end) = statement_end(rest);
            self.statement(statement.trim());
            match end {
                End::Line => return,
                End::Separator => rest = &rest[statement.len() + 1..],
                End::Comment => {
                    self.in_comment = true;
                    rest = &rest[statement.len() + 2..];
                }
            }
        }
    }

    fn statement(&mut self, mut text: &'a str) {
        while let Some((label, rest)) = split_label(text) {
            self.push(label, StatementKind::Label(label));
            text = rest;
        }
        if text.is_empty() {
            return;
        }
        if let Some((name, value)) = split_assignment(text) {
            if name == "." {
                self.problems.report(
                    Refusal::new("the location counter is assigned", directive::ADVICE),
                    self.line,
                    text,
                );
                return;
            }
            self.push(text, StatementKind::Assignment { value });
            return;
        }
        let outcome = if text.starts_with('.') {
            self.directive(text)
        } else {
            self.code(text)
        };
        if let Err(refusal) = outcome {
            self.problems.report(refusal, self.line, text);
        }
    }

    fn push(&mut self, text: &'a str, kind: StatementKind<'a>) {
        let (line, section) = (self.line, self.sections.current());
        self.program.statements.push(Statement {
            line,
            text,
            section,
            kind,
        });
    }

    fn directive(&mut self, text: &'a str) -> Result<(), Refusal> {
        let (name, arguments) = split_word(text);
        directive::check(name, arguments, self.sections.current())?;
        self.sections
            .apply(name, arguments)
            .inspect_err(|_| self.sections.leave())?;
        // Advice to linkers that only LLVM's assembler understands.
        if matches!(name, ".addrsig" | ".addrsig_sym") {
            return Ok(());
        }
        self.push(text, StatementKind::Directive { name, arguments });
        Ok(())
    }

    fn code(&mut self, text: &'a str) -> Result<(), Refusal> {
        let mut prefix = self.pending.take();
        let mut text = text;
        let (mut mnemonic, mut arguments) = split_word(text);
        while let Some(kind) = prefix_kind(mnemonic)? {
            if let Some(kind) = kind
                && prefix.replace(kind).is_some()
            {
                return Err(Refusal::new("two prefixes", "write one prefix"));
            }
            text = arguments;
            (mnemonic, arguments) = split_word(text);
        }
        if mnemonic.is_empty() {
            self.pending = prefix;
            return Ok(());
        }
        if self.sections.current() != Section::Text {
            return Err(Refusal::new(
                "instruction outside a text section",
                "put code into .text or a section with flags \"ax\"",
            ));
        }
        let mut operands = Vec::new();
        let mut indirect = false;
        for operand in split_operands(arguments) {
            let target = operand.strip_prefix('*');
            indirect |= target.is_some();
            operands.push(Operand::parse(target.unwrap_or(operand).trim_start())?);
        }
        if operands.len() > OPERANDS_MAX {
            return Err(isa::unknown(mnemonic));
        }
        let prefix = prefix.unwrap_or(Prefix::None);
        let effect = isa::effect(mnemonic, prefix, &operands)?;
        if indirect && !matches!(effect.kind, Kind::Jump | Kind::Call) {
            return Err(Refusal::new(
                "`*` before an operand that is not a target",
                "remove it",
            ));
        }
        let instruction = Instruction {
            statement: self.program.statements.len(),
            text,
            prefix,
            mnemonic,
            operands,
            indirect,
            effect,
        };
        let index = self.program.instructions.len();
        self.push(text, StatementKind::Instruction(index));
        self.program.instructions.push(instruction);
        Ok(())
    }

    fn finish(&mut self) {
        if self.pending.is_some() {
            let refusal = Refusal::new("prefix without an instruction", "complete the input");
            self.problems.report(refusal, self.line, "");
        }
    }
}

enum End {
    Line,
    Separator,
    Comment,
}

/// Finds where the first statement of a line ends, minding strings and comments.
fn statement_end(text: &str) -> (&str, End) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b';' => return (&text[..at], End::Separator),
            b'#' => return (&text[..at], End::Line),
            b'/' if bytes.get(at + 1) == Some(&b'*') => return (&text[..at], End::Comment),
            _ => {}
        }
        at += 1;
    }
    (text, End::Line)
}

/// Whether a character can be part of a symbol.
pub(crate) fn is_symbol_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$') || byte >= 0x80
}

fn split_label(text: &str) -> Option<(&str, &str)> {
    let end = if let Some(quoted) = text.strip_prefix('"') {
        quoted.find('"')? + 2
    } else {
        text.bytes().position(|byte| !is_symbol_byte(byte))?
    };
    let rest = text[end..].trim_start().strip_prefix(':')?;
    (end > 0).then(|| (&text[..end], rest.trim_start()))
}

fn split_assignment(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().position(|byte| !is_symbol_byte(byte))?;
    let value = text[end..].trim_start().strip_prefix('=')?;
    (end > 0).then(|| (&text[..end], value.trim_start_matches('=').trim()))
}

fn split_word(text: &str) -> (&str, &str) {
    match text.find(|c: char| c.is_ascii_whitespace()) {
        Some(end) => (&text[..end], text[end..].trim()),
        None => (text, ""),
    }
}

/// Recognises prefixes: `Some(None)` is one that is dropped because it changes nothing.
fn prefix_kind(word: &str) -> Result<Option<Option<Prefix>>, Refusal> {
    Ok(match word {
        "lock" => Some(Some(Prefix::Lock)),
        "rep" | "repe" | "repz" => Some(Some(Prefix::Rep)),
        "repne" | "repnz" => Some(Some(Prefix::Repne)),
        "notrack" | "bnd" => Some(None),
        "data16" | "data32" | "addr32" | "addr16" | "rex" | "rex64" | "rex.W" | "rex.w" => {
            return Err(Refusal::new(
                "explicit size prefix, as thread-local storage uses",
                "compile without thread_local variables",
            ));
        }
        _ => None,
    })
}

/// Splits at the commas that are outside parentheses.
fn split_operands(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text).filter(|text| !text.is_empty());
    std::iter::from_fn(move || {
        let text = rest?;
        let mut depth = 0_u32;
        let comma = text.bytes().position(|byte| {
            match byte {
                b'(' => depth = depth.saturating_add(1),
                b')' => depth = depth.saturating_sub(1),
                b',' => return depth == 0,
                _ => {}
            }
            false
        });
        rest = comma.map(|at| &text[at + 1..]);
        Some(comma.map_or(text, |at| &text[..at]).trim())
    })
}

/// The symbols that an expression names, without `@PLT` and the like.
pub(crate) fn symbols(expression: &str) -> impl Iterator<Item = &str> {
    let mut rest = expression;
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start_matches(|c: char| {
                c != '"' && c != '@' && c.is_ascii() && !is_symbol_byte(c as u8)
            });
            if let Some(modifier) = rest.strip_prefix('@') {
                rest = modifier.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
                continue;
            }
            if rest.is_empty() {
                return None;
            }
            let end = match rest.strip_prefix('"') {
                Some(quoted) => quoted.find('"').map_or(rest.len(), |at| at + 2),
                None => rest
                    .bytes()
                    .position(|b| !is_symbol_byte(b))
                    .unwrap_or(rest.len()),
            };
            let word = &rest[..end];
            rest = &rest[end..];
            let is_number = word.starts_with(|c: char| c.is_ascii_digit());
            if word != "." && (!is_number || numeric_label(word).is_some()) {
                return Some(word);
            }
        }
    })
}

/// Splits `1b` or `1f`, a reference to a numeric label, into its number and whether it is behind.
pub(crate) fn numeric_label(word: &str) -> Option<(&str, bool)> {
    let behind = word.ends_with('b');
    let number = word.strip_suffix(['b', 'f'])?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    digits.then_some((number, behind))
}

#[cfg(test)]
mod tests {
    use super::{Prefix, StatementKind, parse, symbols};
    use crate::diagnostic::Diagnostics;

    #[test]
    fn statements_are_split_at_separators_and_comments() {
        let text = "a: b: movl $1, %eax # c ; d\n .string \"x;y#z\\\"\" ; ret /* e\n f */ nop\n";
        let text = format!("\t.data\n{text}");
        let text = text
            .replace("ret", ".text; ret")
            .replace("movl", ".text; movl");
        let mut problems = Diagnostics::default();
        let program = parse(&text, &mut problems);
        let mnemonics: Vec<_> = program.instructions.iter().map(|i| i.mnemonic).collect();
        assert_eq!(mnemonics, ["movl", "ret", "nop"]);
        let labels = |s: &&super::Statement<'_>| matches!(s.kind, StatementKind::Label(_));
        assert_eq!(program.statements.iter().filter(labels).count(), 2);
    }

    #[test]
    fn a_prefix_on_its_own_belongs_to_the_next_instruction() {
        let mut problems = Diagnostics::default();
        let program = parse("\tlock\n\tincl (%rdi)\n\trep;stosq\n", &mut problems);
        let prefixes: Vec<_> = program.instructions.iter().map(|i| i.prefix).collect();
        assert_eq!(prefixes, [Prefix::Lock, Prefix::Rep]);
    }

    #[test]
    fn symbols_of_an_expression_exclude_numbers_and_modifiers() {
        let found = |text| symbols(text).collect::<Vec<_>>();
        assert_eq!(found(".L4-.L3+0x10"), [".L4", ".L3"]);
        assert_eq!(found("foo@GOTPCREL+8"), ["foo"]);
        assert_eq!(found(".-1b"), ["1b"]);
        assert_eq!(found("-16-8"), [""; 0]);
    }
}
