//! Labels: where they are, and which of them an indirect call or jump may reach.

use std::collections::{HashMap, HashSet};

use crate::directive::{self, Section};
use crate::isa::Kind;
use crate::source::{Instruction, Program, StatementKind, numeric_label, symbols};

/// The labels of a program's text sections.
#[derive(Debug, Default)]
pub(crate) struct Labels<'a> {
    /// The instruction that follows each named label.
    places: HashMap<&'a str, usize>,
    /// Numeric labels, in file order, and the instruction that follows each.
    numeric: Vec<(&'a str, usize)>,
    /// Names that `.type` declares to be functions.
    functions: HashSet<&'a str>,
    /// The function each instruction belongs to, as an index into `gotos`.
    owners: Vec<usize>,
    /// For each function, the instructions that an indirect jump within it may reach.
    gotos: Vec<Vec<usize>>,
    /// Names, and numbers of numeric labels, that something other than a direct branch refers to.
    taken: HashSet<&'a str>,
}

impl<'a> Labels<'a> {
    pub(crate) fn collect(program: &Program<'a>) -> Labels<'a> {
        // What stands before the first function belongs to a function without a name.
        let mut labels = Labels {
            gotos: vec![Vec::new()],
            ..Labels::default()
        };
        let mut owners: HashMap<&str, usize> = HashMap::new();
        let mut owner = 0;
        let mut next = 0;
        for statement in &program.statements {
            match &statement.kind {
                StatementKind::Label(name) if statement.section == Section::Text => {
                    labels.define(name, next);
                    if labels.functions.contains(name) {
                        owner = *owners
                            .entry(whole_function(name))
                            .or_insert(labels.gotos.len());
                        labels
                            .gotos
                            .resize(labels.gotos.len().max(owner + 1), Vec::new());
                    }
                }
                StatementKind::Label(_) => {}
                StatementKind::Assignment { value } => labels.take(value),
                StatementKind::Directive { name, arguments } => match *name {
                    ".globl" | ".global" | ".weak" => labels.take(arguments),
                    ".type" => {
                        if let Some((name, kind)) = arguments.split_once(',')
                            && kind.contains("function")
                        {
                            labels.functions.insert(name.trim());
                        }
                    }
                    ".set" | ".equ" => {
                        labels.take(arguments.split_once(',').map_or("", |(_, value)| value));
                    }
                    _ if statement.section != Section::Unloaded && directive::places_data(name) => {
                        labels.take(arguments);
                    }
                    _ => {}
                },
                StatementKind::Instruction(index) => {
                    labels.take_operands(&program.instructions[*index]);
                    labels.owners.push(owner);
                    next = index + 1;
                }
            }
        }
        labels.sort_gotos();
        labels
    }

    fn sort_gotos(&mut self) {
        let places = self.places_of(|name| self.is_taken(name) && !self.functions.contains(name));
        for place in places {
            if let Some(owner) = self.owners.get(place) {
                self.gotos[*owner].push(place);
            }
        }
    }

    fn define(&mut self, name: &'a str, next: usize) {
        if name.bytes().all(|byte| byte.is_ascii_digit()) {
            self.numeric.push((name, next));
        } else {
            self.places.insert(name, next);
        }
    }

    fn take(&mut self, expression: &'a str) {
        for symbol in symbols(expression) {
            self.taken
                .insert(numeric_label(symbol).map_or(symbol, |(number, _)| number));
        }
    }

    fn take_operands(&mut self, instruction: &Instruction<'a>) {
        let kind = instruction.effect.kind;
        let is_branch = matches!(kind, Kind::Jump | Kind::Branch | Kind::Call);
        if is_branch && instruction.direct_target().is_some() {
            return;
        }
        for operand in &instruction.operands {
            if let Some(memory) = operand.memory() {
                self.take(memory.displacement);
            }
        }
    }

    /// Whether an indirect call or jump may reach the label, so that it has to be marked.
    pub(crate) fn is_taken(&self, name: &str) -> bool {
        self.taken.contains(name)
    }

    /// Whether the label is declared to be a function.
    pub(crate) fn is_function(&self, name: &str) -> bool {
        self.functions.contains(name)
    }

    /// The instruction at `target` of a direct branch from instruction `from`, if it is in the
    /// input.
    pub(crate) fn place(&self, target: &str, from: usize) -> Option<usize> {
        let Some((number, behind)) = numeric_label(target) else {
            return self.places.get(target).copied();
        };
        let split = self.numeric.partition_point(|(_, next)| *next <= from);
        let (before, after) = self.numeric.split_at(split);
        let is_it = |(name, _): &&(&str, usize)| *name == number;
        let found = if behind {
            before.iter().rfind(is_it)
        } else {
            after.iter().find(is_it)
        };
        found.map(|(_, next)| *next)
    }

    /// The first instructions of functions.
    pub(crate) fn function_places(&self) -> Vec<usize> {
        self.places_of(|name| self.functions.contains(name))
    }

    /// The function that an instruction belongs to, as an index into [`Labels::gotos`].
    pub(crate) fn owner(&self, instruction: usize) -> usize {
        self.owners[instruction]
    }

    /// For each function, the instructions that an indirect jump within it may reach.
    pub(crate) fn gotos(&self) -> &[Vec<usize>] {
        &self.gotos
    }

    fn places_of(&self, wanted: impl Fn(&str) -> bool) -> Vec<usize> {
        let named = self.places.iter().map(|(name, next)| (*name, *next));
        let all = named.chain(self.numeric.iter().copied());
        let mut places: Vec<usize> = all
            .filter(|(name, _)| wanted(name))
            .map(|(_, next)| next)
            .collect();
        places.sort_unstable();
        places.dedup();
        places
    }
}

/// The name of the function that a part split off by gcc belongs to.
fn whole_function(name: &str) -> &str {
    name.split_once(".cold").map_or(name, |(whole, _)| whole)
}

#[cfg(test)]
mod tests {
    use super::Labels;
    use crate::diagnostic::Diagnostics;
    use crate::source::parse;

    fn collect(text: &str) -> Labels<'_> {
        Labels::collect(&parse(text, &mut Diagnostics::default()))
    }

    #[test]
    fn direct_branches_do_not_take_an_address() {
        let labels = collect("a:\ncall b\njmp c@PLT\nje d\nb:\nc:\nd:\nret\n");
        for name in ["a", "b", "c", "d"] {
            assert!(!labels.is_taken(name), "{name}");
        }
    }

    #[test]
    fn data_operands_exports_and_aliases_take_an_address() {
        let text = ".globl a\n.set f, g\nleaq b(%rip), %rax\ncall *c(%rip)\n.data\n.quad d+8\n\
                    .long .L1-e\n.section .debug_info\n.quad h\n";
        let labels = collect(text);
        for name in ["a", "b", "c", "d", ".L1", "e", "g"] {
            assert!(labels.is_taken(name), "{name}");
        }
        assert!(!labels.is_taken("h"));
        assert!(!labels.is_taken("f"));
    }

    #[test]
    fn numeric_labels_resolve_to_the_nearest() {
        let labels = collect("1:\nnop\njmp 1b\njmp 1f\n1:\nret\n");
        assert_eq!(labels.place("1b", 1), Some(0));
        assert_eq!(labels.place("1f", 2), Some(3));
        assert_eq!(labels.place("2f", 2), None);
    }
}
