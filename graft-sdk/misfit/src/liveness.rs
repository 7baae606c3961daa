//! Which registers and flags matter after each instruction.
//!
//! Instrumentation needs scratch registers and clobbers flags; compilers leave both dead nearly
//! everywhere that matters, and this analysis proves it or makes misfit take another way. It is the
//! textbook backward data-flow over the instructions of the whole file. It errs towards "live".
//! Nothing here matters for safety: a wrong answer breaks the graft, never the sandbox.

use crate::frame;
use crate::isa::{Access, Flags, Kind};
use crate::labels::Labels;
use crate::operand::OperandKind;
use crate::register::{R11, RSP, Register, RegisterSet};
use crate::source::{Instruction, Program};

/// The most backward passes; loops nested deeper than this make everything count as live.
const PASSES_MAX: usize = 64;

/// What a tail call or an unknown jump may need.
const LEAVING: RegisterSet = RegisterSet::ARGUMENTS.union(RegisterSet::PRESERVED);

/// What a tail call through a pointer may need: only direct calls pass a static chain in `%r10`.
const LEAVING_INDIRECTLY: RegisterSet = LEAVING.minus(RegisterSet::of(&[10]));

/// Where control goes after an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Next,
    Jump(usize),
    Branch(usize),
    /// A conditional jump out of the file.
    BranchOut,
    /// A tail call out of the file.
    Out,
    /// A jump to any label whose address is taken, in the same function.
    Goto,
    /// Such a jump, or a tail call through a pointer.
    Anywhere,
    Return,
    Stop,
}

/// Which way the analysis errs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bias {
    /// Towards "live": indirect jumps may reach every label of their function whose address is
    /// taken, and a byte write keeps the rest of the register.
    Live,
    /// Towards "dead": indirect jumps reach nothing, a byte write ends the whole value, and a push
    /// only aligns the stack, as gcc makes it do at `-Os`.
    Dead,
}

/// The sets of live registers.
#[derive(Debug)]
pub(crate) struct Liveness {
    flows: Vec<Flow>,
    /// What matters before each instruction, and after the last.
    live_in: Vec<RegisterSet>,
    out: Vec<RegisterSet>,
}

impl Liveness {
    pub(crate) fn analyse(program: &Program<'_>, labels: &Labels<'_>, bias: Bias) -> Liveness {
        let instructions = &program.instructions;
        let count = instructions.len();
        let framed = frame::certain_frames(program, labels);
        let flow_at = |(at, instruction)| flow(instruction, at, labels, framed[at]);
        let flows: Vec<Flow> = instructions.iter().enumerate().map(flow_at).collect();
        let handed_on = handed_on(program);
        let effect = |instruction| {
            let (uses, definitions) = uses_and_definitions(instruction);
            match bias {
                Bias::Live => (uses, definitions),
                Bias::Dead if instruction.effect.kind == Kind::Push => {
                    (RegisterSet::EMPTY, definitions)
                }
                Bias::Dead => (uses, definitions.union(written(instruction))),
            }
        };
        let effects: Vec<_> = instructions.iter().map(effect).collect();
        // One more than there are instructions: what follows the last one.
        let mut live_in = vec![RegisterSet::EMPTY; count + 1];
        let mut out = vec![RegisterSet::EMPTY; count];
        for _ in 0..PASSES_MAX {
            let reached = |places: &Vec<usize>| match bias {
                Bias::Dead => RegisterSet::EMPTY,
                Bias::Live => places
                    .iter()
                    .fold(RegisterSet::EMPTY, |all, at| all.union(live_in[*at])),
            };
            let gotos: Vec<RegisterSet> = labels.gotos().iter().map(reached).collect();
            let mut changed = false;
            for at in (0..count).rev() {
                let after = match flows[at] {
                    Flow::Next => live_in[at + 1],
                    Flow::Jump(target) => live_in[target],
                    Flow::Branch(target) => live_in[at + 1].union(live_in[target]),
                    Flow::BranchOut => live_in[at + 1].union(LEAVING),
                    Flow::Out => LEAVING,
                    Flow::Goto => gotos[labels.owner(at)].minus(handed_on[at]),
                    Flow::Anywhere => gotos[labels.owner(at)]
                        .minus(handed_on[at])
                        .union(LEAVING_INDIRECTLY),
                    Flow::Return => RegisterSet::RESULTS.union(RegisterSet::PRESERVED),
                    Flow::Stop => RegisterSet::EMPTY,
                };
                let (uses, definitions) = effects[at];
                let before = after.minus(definitions).union(uses);
                changed |= before != live_in[at];
                live_in[at] = before;
                out[at] = after;
            }
            if !changed {
                return Liveness {
                    flows,
                    live_in,
                    out,
                };
            }
        }
        live_in.fill(RegisterSet::ALL);
        out.fill(RegisterSet::ALL);
        Liveness {
            flows,
            live_in,
            out,
        }
    }

    /// Everything that matters after an instruction.
    pub(crate) fn after(&self, instruction: usize) -> RegisterSet {
        self.out[instruction]
    }

    /// Whether a later instruction may read flags as this one leaves them.
    pub(crate) fn flags_live_after(&self, instruction: usize) -> bool {
        self.out[instruction].intersects(RegisterSet::FLAGS)
    }

    /// Whether an instruction, or a later one, may read flags as they are before it.
    pub(crate) fn flags_live_before(&self, instruction: usize) -> bool {
        self.live_in[instruction].intersects(RegisterSet::FLAGS)
    }

    /// A register whose value does not matter after this instruction; `%r11` if possible.
    pub(crate) fn dead_after(&self, instruction: usize) -> Option<u8> {
        self.dead_after_except(instruction, &[])
    }

    /// Like [`Liveness::dead_after`], but none of `excepted`.
    pub(crate) fn dead_after_except(&self, instruction: usize, excepted: &[u8]) -> Option<u8> {
        let live = self.out[instruction].union(RegisterSet::of(&[RSP]));
        let candidates = std::iter::once(R11).chain((0..16).rev());
        let mut dead = candidates.filter(|number| !live.contains(*number));
        dead.find(|number| !excepted.contains(number))
    }

    /// Whether a value in `%r11` is expected to survive this instruction.
    pub(crate) fn scratch_live_after(&self, instruction: usize) -> bool {
        self.out[instruction].contains(R11)
    }

    /// Whether the code that starts at an instruction may return to its caller.
    pub(crate) fn may_return(&self, labels: &Labels<'_>, start: usize) -> bool {
        let mut seen = vec![false; self.flows.len()];
        let mut work = vec![start];
        while let Some(at) = work.pop() {
            let Some(flow) = self.flows.get(at) else {
                return true;
            };
            if std::mem::replace(&mut seen[at], true) {
                continue;
            }
            match *flow {
                Flow::Next => work.push(at + 1),
                Flow::Jump(target) => work.push(target),
                Flow::Branch(target) => work.extend([at + 1, target]),
                Flow::Goto => work.extend(&labels.gotos()[labels.owner(at)]),
                Flow::Return | Flow::Out | Flow::BranchOut | Flow::Anywhere => return true,
                Flow::Stop => {}
            }
        }
        false
    }
}

/// How far before a jump the instruction that computes its target may stand.
const TARGET_WINDOW: usize = 8;

/// For each instruction, what an indirect jump there cannot hand on to its targets.
///
/// The flags that the addition of an offset to a jump table leaves mean nothing to anybody.
fn handed_on(program: &Program<'_>) -> Vec<RegisterSet> {
    let instructions = &program.instructions;
    let lost = |at: usize| {
        let target = instructions[at].last()?.register()?;
        let addition = &instructions[flags_before(program, at, TARGET_WINDOW)?];
        let is_addition = matches!(addition.mnemonic, "addq" | "add")
            && addition.last()?.register() == Some(target);
        is_addition.then_some(RegisterSet::FLAGS)
    };
    let at_jump = |at: usize| {
        let is_indirect = instructions[at].indirect;
        is_indirect.then(|| lost(at)).flatten().unwrap_or_default()
    };
    (0..instructions.len()).map(at_jump).collect()
}

/// The instruction that last changed the flags before another, in the same straight line.
pub(crate) fn flags_before(program: &Program<'_>, at: usize, window: usize) -> Option<usize> {
    let start = at.saturating_sub(window);
    let changes = |before: &usize| {
        let effect = &program.instructions[*before].effect;
        effect.flags != Flags::Keep || effect.kind == Kind::Call
    };
    let found = (start..at).rev().find(changes)?;
    program.is_straight(found, at).then_some(found)
}

fn flow(instruction: &Instruction<'_>, at: usize, labels: &Labels<'_>, framed: bool) -> Flow {
    let place = || {
        instruction
            .direct_target()
            .and_then(|target| labels.place(target, at))
    };
    match instruction.effect.kind {
        Kind::Jump if instruction.indirect && framed => Flow::Goto,
        Kind::Jump if instruction.indirect => Flow::Anywhere,
        Kind::Jump => place().map_or(Flow::Out, Flow::Jump),
        Kind::Branch => place().map_or(Flow::BranchOut, Flow::Branch),
        Kind::Return => Flow::Return,
        Kind::Trap => Flow::Stop,
        _ => Flow::Next,
    }
}

/// The registers an instruction may write, whole or in part, through its operands.
pub(crate) fn written(instruction: &Instruction<'_>) -> RegisterSet {
    let operands = instruction.operands.iter().rev();
    let count = match instruction.effect.access {
        Access::Read => 0,
        Access::Write | Access::Clear | Access::ReadWrite => 1,
        Access::WriteTwo => 2,
        Access::Exchange => instruction.operands.len(),
    };
    let registers = operands
        .take(count)
        .filter_map(|operand| operand.register());
    registers.fold(RegisterSet::EMPTY, |all, register| {
        all.union(whole(register))
    })
}

/// The registers an instruction reads, and those whose old value it ends.
pub(crate) fn uses_and_definitions(instruction: &Instruction<'_>) -> (RegisterSet, RegisterSet) {
    let effect = &instruction.effect;
    let mut uses = effect.uses;
    let mut definitions = effect.defines;
    let count = instruction.operands.len();
    for (at, operand) in instruction.operands.iter().enumerate() {
        match operand.kind {
            OperandKind::Immediate(_) => {}
            OperandKind::Memory(memory) => {
                for part in [memory.base, memory.index].into_iter().flatten() {
                    uses = uses.union(RegisterSet::read_of(part));
                }
            }
            OperandKind::Register(register) => {
                let written = match effect.access {
                    Access::Read => false,
                    Access::Write | Access::Clear | Access::ReadWrite => at + 1 == count,
                    Access::WriteTwo => at + 2 >= count,
                    Access::Exchange => true,
                };
                let read = match effect.access {
                    Access::Clear => false,
                    Access::Write | Access::WriteTwo => !written,
                    Access::Read | Access::ReadWrite | Access::Exchange => true,
                };
                if read {
                    uses = uses.union(RegisterSet::read_of(register));
                }
                if written {
                    definitions = definitions.union(RegisterSet::overwritten_by(register));
                }
            }
        }
    }
    uses = uses.union(effect.flags_read);
    definitions = definitions.union(effect.flags.overwritten());
    if effect.kind == Kind::Call {
        uses = uses.union(RegisterSet::ARGUMENTS);
        definitions = RegisterSet::ALL.minus(RegisterSet::PRESERVED);
    }
    (uses, definitions)
}

fn whole(register: Register) -> RegisterSet {
    register
        .general()
        .map_or(RegisterSet::EMPTY, |number| RegisterSet::of(&[number]))
}

#[cfg(test)]
mod tests {
    use super::{Bias, Liveness};
    use crate::diagnostic::Diagnostics;
    use crate::labels::Labels;
    use crate::source::parse;

    fn analyse(text: &str) -> Liveness {
        let mut problems = Diagnostics::default();
        let program = parse(text, &mut problems);
        let liveness = Liveness::analyse(&program, &Labels::collect(&program), Bias::Live);
        problems.finish(liveness).expect("the text is understood")
    }

    #[test]
    fn flags_live_across_a_move_until_their_branch() {
        let live = analyse("cmpl $1, %edi\nmovl $2, %eax\nje .L1\naddl $1, %eax\n.L1:\nret\n");
        let flags: Vec<_> = (0..5).map(|at| live.flags_live_after(at)).collect();
        assert_eq!(flags, [true, true, false, false, false]);
    }

    #[test]
    fn values_stay_live_around_a_loop() {
        let live = analyse("movl $9, %r11d\n.L1:\naddl %r11d, %eax\ndecl %edi\njne .L1\nret\n");
        assert!(live.scratch_live_after(3 - 1));
        assert!(live.scratch_live_after(3));
        assert!(!live.scratch_live_after(4));
    }

    #[test]
    fn a_jump_table_reaches_every_label_whose_address_is_taken() {
        let live = analyse("jmp *%rax\n.L1:\nmovl %r11d, %eax\nret\n.data\n.quad .L1\n");
        assert!(live.scratch_live_after(0));
        assert_ne!(live.dead_after(0), Some(crate::register::R11));
    }

    #[test]
    fn a_function_that_only_traps_does_not_return() {
        let text = "call f\nret\nf:\ntestl %edi, %edi\nje .L1\n.L1:\nud2\n";
        let program = parse(text, &mut Diagnostics::default());
        let labels = Labels::collect(&program);
        let live = Liveness::analyse(&program, &labels, Bias::Live);
        assert!(!live.may_return(&labels, 2));
        assert!(live.may_return(&labels, 0));
    }
}
