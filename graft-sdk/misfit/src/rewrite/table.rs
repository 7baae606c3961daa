//! Comparisons that stand before a jump table and are used behind it.
//!
//! When all targets of a `switch` begin with the same comparison, gcc writes it once, before the
//! jump: `cmpl %eax, %edx; jmp *%r9`, and at each target `jnb`. The check of the jump destroys the
//! flags, so the comparison is written again at each target. That needs a comparison of registers
//! and constants, and targets that nothing else reaches; what is otherwise is refused.

use std::collections::{HashMap, HashSet};

use super::Rewriter;
use crate::isa::Kind;
use crate::labels::Labels;
use crate::liveness::{self, Liveness};
use crate::operand::OperandKind;
use crate::register::RegisterSet;
use crate::source::Program;

/// How many instructions before a jump its comparison may stand.
const WINDOW: usize = 32;

/// Which comparisons are written again where.
#[derive(Debug, Default)]
pub(super) struct Comparisons {
    /// The comparison for the instruction that follows each target's label.
    at_target: HashMap<usize, usize>,
    /// The jumps whose targets are all served.
    served: HashSet<usize>,
}

impl Comparisons {
    pub(super) fn plan(
        program: &Program<'_>,
        labels: &Labels<'_>,
        liveness: &Liveness,
    ) -> Comparisons {
        let mut jumps: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, instruction) in program.instructions.iter().enumerate() {
            let is_table = instruction.effect.kind == Kind::Jump && instruction.indirect;
            if is_table && liveness.flags_live_after(at) {
                jumps.entry(labels.owner(at)).or_default().push(at);
            }
        }
        let mut plan = Comparisons::default();
        if jumps.is_empty() {
            return plan;
        }
        let direct = direct_places(program, labels);
        for (owner, jumps) in jumps {
            let places = labels.gotos()[owner].iter().copied();
            let needy: Vec<usize> = places
                .filter(|place| liveness.flags_live_before(*place))
                .collect();
            let is_private =
                |place: &usize| !direct.contains(place) && !falls_into(program, *place);
            let Some(comparison) = common_comparison(program, &jumps) else {
                continue;
            };
            if needy.iter().all(is_private) {
                plan.at_target
                    .extend(needy.into_iter().map(|place| (place, comparison)));
                plan.served.extend(jumps);
            }
        }
        plan
    }
}

/// The comparison that all of the jumps hand on, if it is one and the same.
fn common_comparison(program: &Program<'_>, jumps: &[usize]) -> Option<usize> {
    let mut found: Option<usize> = None;
    for jump in jumps {
        let comparison = comparison_before(program, *jump)?;
        let text = |at: usize| program.instructions[at].text;
        if found.is_some_and(|other| text(other) != text(comparison)) {
            return None;
        }
        found = Some(comparison);
    }
    found
}

/// The comparison of registers and constants whose flags a jump through a register hands on.
fn comparison_before(program: &Program<'_>, jump: usize) -> Option<usize> {
    program.instructions[jump].last()?.register()?;
    let at = liveness::flags_before(program, jump, WINDOW)?;
    let comparison = &program.instructions[at];
    // Not every mnemonic that begins so: `cmpxchg` writes.
    let operation = comparison.mnemonic.trim_end_matches(['b', 'w', 'l', 'q']);
    let is_comparison = matches!(operation, "cmp" | "test");
    let is_simple = comparison
        .operands
        .iter()
        .all(|operand| !matches!(operand.kind, OperandKind::Memory(_)));
    let (uses, _) = liveness::uses_and_definitions(comparison);
    let between = &program.instructions[at + 1..jump];
    let changed = between.iter().fold(RegisterSet::EMPTY, |all, instruction| {
        all.union(liveness::written(instruction))
            .union(instruction.effect.defines)
    });
    (is_comparison && is_simple && !uses.intersects(changed)).then_some(at)
}

/// The instructions that direct jumps reach.
fn direct_places(program: &Program<'_>, labels: &Labels<'_>) -> HashSet<usize> {
    let instructions = program.instructions.iter().enumerate();
    let jumps = instructions
        .filter(|(_, instruction)| matches!(instruction.effect.kind, Kind::Jump | Kind::Branch));
    jumps
        .filter_map(|(at, instruction)| labels.place(instruction.direct_target()?, at))
        .collect()
}

/// Whether control comes from the instruction before, with flags that mean something.
fn falls_into(program: &Program<'_>, place: usize) -> bool {
    let before = place
        .checked_sub(1)
        .map(|at| program.instructions[at].effect.kind);
    !matches!(
        before,
        None | Some(Kind::Jump | Kind::Return | Kind::Trap | Kind::Call)
    )
}

impl Rewriter<'_, '_> {
    /// Writes the comparison that an instruction behind a jump table relies on.
    pub(super) fn repeat_comparison(&mut self, at: usize) {
        if let Some(comparison) = self.comparisons.at_target.get(&at) {
            let text = self.program.instructions[*comparison].text;
            self.line(format_args!("{text}"));
        }
    }

    /// Whether the targets of an indirect jump make the flags that they need themselves.
    pub(super) fn hands_on_comparison(&self, at: usize) -> bool {
        self.comparisons.served.contains(&at)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Options, instrument};

    const SWITCH: &str = "\t.type f, @function\nf:\n\tcmpl $1, %esi\n\tja .L4\n\
        \tmovslq (%r10,%r9,4), %r9\n\taddq %r10, %r9\n\tcmpl %eax, %edx\n\tjmp *%r9\n\
        .L1:\n\tjnb .L4\n\tret\n.L2:\n\tjb .L4\n\tret\n.L4:\n\tret\n\
        \t.section .rodata\n.L3:\n\t.long .L1-.L3\n\t.long .L2-.L3\n";

    #[test]
    fn a_comparison_before_a_jump_table_is_repeated_at_its_targets() {
        let output = instrument(SWITCH, &Options::ALL).expect("it is understood");
        assert_eq!(output.matches("cmpl %eax, %edx").count(), 3, "{output}");
    }

    #[test]
    fn a_target_that_others_reach_is_refused() {
        for (from, to) in [
            ("\tjnb .L4\n\tret\n", "\tjnb .L4\n"),
            ("cmpl $1, %esi\n\tja .L4", "cmpl $1, %esi\n\tja .L2"),
            ("cmpl %eax, %edx", "cmpl (%rax), %edx"),
            ("cmpl %eax, %edx", "cmpxchgl %ecx, %edx"),
            ("cmpl %eax, %edx\n", "cmpl %eax, %edx\n\tmovl $1, %edx\n"),
        ] {
            let text = SWITCH.replace(from, to);
            assert_ne!(text, SWITCH);
            let problems = instrument(&text, &Options::ALL).expect_err("the flags are lost");
            assert!(problems[0].message.contains("flags must survive"), "{text}");
        }
    }
}
