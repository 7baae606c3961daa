//! Returns that share one sequence of instructions.
//!
//! A checked return takes about 30 bytes where a return takes one. So only the first return of a
//! function is written out; the others become jumps to it, together with the instructions before
//! them that are the same in both places (`popq %rbx; ret`). Functions that the compiler did not
//! align share one return, because who compiles for size, or not at all, asks for that; the
//! unlikely part of a function is one of those. A function that calls itself keeps all of its
//! returns: it spends its time in them, and the jumps would cost it a tenth.
//!
//! A trap follows each return that is written out, so that the failed checks near it, its own
//! included, reach a trap by a jump of two bytes.

use std::collections::{HashMap, HashSet};

use crate::Options;
use crate::directive;
use crate::isa::Kind;
use crate::labels::Labels;
use crate::operand::{Operand, OperandKind, number};
use crate::source::{Instruction, Program, StatementKind};

/// The most instructions that are shared before a return.
const TAIL_LEN_MAX: usize = 16;

/// Which returns are written out, and which become jumps.
#[derive(Debug, Default)]
pub(super) struct Tails {
    /// The instructions to which others jump.
    labelled: HashSet<usize>,
    /// The instructions that become jumps, each with the instruction it jumps to.
    jumps: HashMap<usize, usize>,
    /// The instructions behind such jumps.
    left_out: HashSet<usize>,
    /// For each function that returns, the return that is written out for it.
    returns: HashMap<usize, usize>,
}

impl Tails {
    pub(super) fn plan(program: &Program<'_>, labels: &Labels<'_>, options: &Options) -> Tails {
        let mut tails = Tails::default();
        if !options.indirect_calls {
            return tails;
        }
        let homes = homes(program, labels);
        let recursive = recursive_functions(program, labels);
        let mut written: HashMap<Home<'_>, usize> = HashMap::new();
        for (at, instruction) in program.instructions.iter().enumerate() {
            if instruction.effect.kind != Kind::Return {
                continue;
            }
            let own = matches!(homes[at], Home::Function(owner) if recursive.contains(&owner));
            let model = match own {
                true => at,
                false => *written.entry(homes[at]).or_insert(at),
            };
            tails.returns.entry(labels.owner(at)).or_insert(model);
            if model == at {
                continue;
            }
            let len = common_len(program, model, at);
            tails.labelled.insert(model - len);
            tails.jumps.insert(at - len, model - len);
            tails.left_out.extend(at - len + 1..=at);
        }
        tails
    }

    /// Whether an instruction is not written because a jump replaces it and those before it.
    pub(super) fn is_left_out(&self, at: usize) -> bool {
        self.left_out.contains(&at)
    }

    /// The target of the jump that an instruction becomes.
    pub(super) fn jump(&self, at: usize) -> Option<String> {
        let target = self.jumps.get(&at)?;
        Some(tail_label(*target))
    }

    /// The label in front of an instruction to which others jump.
    pub(super) fn label(&self, at: usize) -> Option<String> {
        self.labelled.contains(&at).then(|| tail_label(at))
    }

    /// The label of the trap for failed checks in a function, if it returns.
    pub(super) fn trap(&self, function: usize) -> Option<String> {
        self.returns.get(&function).map(|at| trap_label(*at))
    }
}

/// The label of the trap behind a return that is written out.
pub(super) fn trap_label(at: usize) -> String {
    format!(".Lvino_trap_{at}")
}

fn tail_label(at: usize) -> String {
    format!(".Lvino_tail_{at}")
}

/// Among which instructions a return is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Home<'a> {
    /// Those of a function.
    Function(usize),
    /// Those of the functions that are not aligned in a section, given by its directive.
    Section(&'a str),
}

/// The home of each instruction.
fn homes<'a>(program: &Program<'a>, labels: &Labels<'a>) -> Vec<Home<'a>> {
    let mut homes = Vec::with_capacity(program.instructions.len());
    let mut section = Some(".text");
    let (mut aligned, mut compact) = (false, true);
    for statement in &program.statements {
        match statement.kind {
            StatementKind::Directive { name, .. } if directive::selects_section(name) => {
                // What `.popsection` returns to is not followed.
                section = matches!(name, ".text" | ".section").then_some(statement.text);
            }
            StatementKind::Directive { name, .. } => aligned |= directive::aligns(name),
            StatementKind::Label(name) if labels.is_function(name) => compact = !aligned,
            StatementKind::Instruction(at) => {
                aligned = false;
                homes.push(match section {
                    Some(section) if compact => Home::Section(section),
                    _ => Home::Function(labels.owner(at)),
                });
            }
            StatementKind::Label(_) | StatementKind::Assignment { .. } => {}
        }
    }
    homes
}

/// The functions that call themselves.
fn recursive_functions(program: &Program<'_>, labels: &Labels<'_>) -> HashSet<usize> {
    let calls = program.instructions.iter().enumerate();
    let itself = calls.filter_map(|(at, instruction)| {
        let is_direct = instruction.effect.kind == Kind::Call && !instruction.indirect;
        let target = is_direct.then(|| instruction.direct_target()).flatten()?;
        // A label at the end of the text is at no instruction.
        let place = labels.place(target, at)?;
        let is_own = place < program.instructions.len() && labels.owner(place) == labels.owner(at);
        is_own.then(|| labels.owner(at))
    });
    itself.collect()
}

/// How many instructions before two returns are the same and may be shared.
fn common_len(program: &Program<'_>, model: usize, at: usize) -> usize {
    let fits = |back: &usize| {
        let [Some(there), Some(here)] = [model, at].map(|ret| ret.checked_sub(*back)) else {
            return false;
        };
        let [first, second] = [there, here].map(|place| &program.instructions[place]);
        is_shareable(first)
            && (first.prefix, first.text) == (second.prefix, second.text)
            && is_joined(program, there)
            && is_joined(program, here)
    };
    (1..=TAIL_LEN_MAX).take_while(fits).count()
}

/// Whether an instruction does the same wherever it stands, and the next one follows.
fn is_shareable(instruction: &Instruction<'_>) -> bool {
    let is_known = matches!(
        instruction.effect.kind,
        Kind::Plain | Kind::Address | Kind::Pop | Kind::Leave
    );
    is_known && !instruction.effect.reads_flags() && instruction.operands.iter().all(is_fixed)
}

/// Whether an operand means the same everywhere.
fn is_fixed(operand: &Operand<'_>) -> bool {
    match operand.kind {
        OperandKind::Register(_) => true,
        OperandKind::Immediate(expression) => number(expression).is_some(),
        OperandKind::Memory(memory) => {
            !memory.is_rip_relative() && memory.displacement_value().is_some()
        }
    }
}

/// Whether the next instruction follows without a label or a change of place between them.
fn is_joined(program: &Program<'_>, at: usize) -> bool {
    let [from, to] = [at, at + 1].map(|at| program.instructions[at].statement);
    program.statements[from + 1..to]
        .iter()
        .all(|statement| match statement.kind {
            StatementKind::Directive { name, .. } => {
                !directive::moves_location(name) && !directive::selects_section(name)
            }
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use crate::{Options, instrument};

    fn instrumented(text: &str) -> String {
        instrument(text, &Options::ALL).expect("it is understood")
    }

    const TWO: &str = "\t.p2align 4\n\t.type f, @function\nf:\n\tpushq %rbx\n\tje .L2\n\
        \tpopq %rbx\n\tret\n.L2:\n\tmovl %edi, %ebx\n\tpopq %rbx\n\tret\n";

    #[test]
    fn a_function_returns_in_one_place() {
        let output = instrumented(TWO);
        assert_eq!(output.matches("\tret\n").count(), 1, "{output}");
        assert_eq!(output.matches("\tpopq %rbx\n").count(), 1, "{output}");
        assert!(
            output.contains("\tmovl %edi, %ebx\n\tjmp .Lvino_tail_2\n"),
            "{output}"
        );
    }

    #[test]
    fn a_function_that_calls_itself_keeps_its_returns() {
        let recursive = TWO.replace("\tmovl %edi, %ebx\n", "\tcall f\n");
        assert_eq!(instrumented(&recursive).matches("\tret\n").count(), 2);
        let end = format!("{}.Lend:\n", TWO.replace("movl %edi, %ebx", "call .Lend"));
        assert_eq!(instrumented(&end).matches("\tret\n").count(), 1);
        let other = TWO.replace("\tmovl %edi, %ebx\n", "\tcall g\n");
        assert_eq!(instrumented(&other).matches("\tret\n").count(), 1);
    }

    #[test]
    fn a_label_ends_what_is_shared() {
        let output = instrumented(&TWO.replace("%ebx\n", "%ebx\n.L3:\n\tjs .L3\n.L4:\n"));
        assert!(output.contains(".L4:\n\tjmp .Lvino_tail_2\n"), "{output}");
        let output = instrumented(&TWO.replace("\tret\n.L2", "\tnop\n\tret\n.L2"));
        assert!(
            output.contains("\tpopq %rbx\n\tjmp .Lvino_tail_4\n"),
            "{output}"
        );
    }

    #[test]
    fn aligned_functions_keep_their_own_return() {
        let two = format!(
            "{TWO}{}",
            TWO.replace("f:", "g:").replace("type f", "type g")
        );
        let two = two.replacen(".L2", ".L1", 2);
        assert_eq!(instrumented(&two).matches("\tret\n").count(), 2);
        let compact = two.replace("\t.p2align 4\n", "");
        assert_eq!(instrumented(&compact).matches("\tret\n").count(), 1);
    }

    #[test]
    fn the_stack_is_accessed_before_a_shared_return() {
        let output = instrumented(&TWO.replacen("popq %rbx", "addq $8, %rsp", 1));
        assert!(!output.contains("addq $8, %rsp\n\tcmpb"), "{output}");
        let output = instrumented(&TWO.replace("%ebx\n\tpopq %rbx", "%ebx\n\taddq $8, %rsp"));
        assert!(
            output.contains("cmpb $0, (%rsp)\n\tjmp .Lvino_tail"),
            "{output}"
        );
    }
}
