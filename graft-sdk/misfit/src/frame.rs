//! How many bytes each function has on the stack at each instruction.
//!
//! An indirect jump is a tail call or a jump to a label of the same function, and the text does not
//! say which. At a tail call the frame is gone, so a known depth other than zero excludes it, and
//! registers that hold arguments or belong to the caller need not be kept.

use crate::isa::Kind;
use crate::labels::Labels;
use crate::operand::{Memory, Operand, number};
use crate::register::{RBP, Register, Width};
use crate::source::{Instruction, Program};

/// Bytes between the stack pointer at a function's first instruction and now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    /// No path from a function's entry was found.
    Unreached,
    Bytes(i64),
    /// Paths disagree, or the stack pointer was computed.
    Unknown,
}

impl Depth {
    /// Adds what another path says; returns whether that is news.
    fn merge(&mut self, other: Depth) -> bool {
        let merged = match *self {
            Depth::Unreached => other,
            known if known == other => known,
            _ => Depth::Unknown,
        };
        merged != std::mem::replace(self, merged)
    }
}

/// For each instruction, whether the function certainly has a frame when it starts.
pub(crate) fn certain_frames(program: &Program<'_>, labels: &Labels<'_>) -> Vec<bool> {
    let instructions = &program.instructions;
    let mut depths = vec![Depth::Unreached; instructions.len()];
    let mut work: Vec<(usize, Depth)> = labels
        .function_places()
        .into_iter()
        .map(|entry| (entry, Depth::Bytes(0)))
        .collect();
    let mut goto_depths = vec![Depth::Unreached; labels.gotos().len()];
    // Each instruction changes at most twice, from unreached to a number to unknown.
    while let Some((at, depth)) = work.pop() {
        let Some(known) = depths.get_mut(at) else {
            continue;
        };
        if !known.merge(depth) {
            continue;
        }
        let merged = *known;
        let instruction = &instructions[at];
        let after = depth_after(merged, instruction);
        let place = || {
            instruction
                .direct_target()
                .and_then(|target| labels.place(target, at))
        };
        match instruction.effect.kind {
            Kind::Jump if instruction.indirect => {
                // Without a frame it may be a tail call, which says nothing about labels.
                let owner = labels.owner(at);
                if after != Depth::Bytes(0) && goto_depths[owner].merge(after) {
                    let depth = goto_depths[owner];
                    work.extend(labels.gotos()[owner].iter().map(|goto| (*goto, depth)));
                }
            }
            Kind::Jump => work.extend(place().map(|target| (target, after))),
            Kind::Branch => {
                work.extend(place().map(|target| (target, after)));
                work.push((at + 1, after));
            }
            Kind::Return | Kind::Trap => {}
            _ => work.push((at + 1, after)),
        }
    }
    let certain = |depth: &Depth| matches!(depth, Depth::Bytes(bytes) if *bytes > 0);
    depths.iter().map(certain).collect()
}

fn depth_after(before: Depth, instruction: &Instruction<'_>) -> Depth {
    let moved = |by: i64| match before {
        Depth::Bytes(bytes) => bytes.checked_add(by).map_or(Depth::Unknown, Depth::Bytes),
        other => other,
    };
    match instruction.effect.kind {
        Kind::Push => return moved(8),
        Kind::Pop => return moved(-8),
        // The frame pointer was saved first.
        Kind::Leave => return Depth::Bytes(0),
        _ => {}
    }
    let is_target =
        |operand: &Operand<'_>| operand.register().is_some_and(Register::is_stack_pointer);
    if !instruction.last().is_some_and(is_target) || !crate::rewrite::writes_stack(instruction) {
        return before;
    }
    let [source, _] = instruction.operands.as_slice() else {
        return Depth::Unknown;
    };
    let constant = source.immediate().and_then(number);
    let frame_pointer = Register::General(RBP, Width::Quad);
    match (instruction.mnemonic, constant, source.memory()) {
        ("addq" | "add", Some(bytes), _) => moved(bytes.wrapping_neg()),
        ("subq" | "sub", Some(bytes), _) => moved(bytes),
        ("leaq" | "lea", _, Some(memory)) if memory.is_plain_stack() => memory
            .displacement_value()
            .map_or(Depth::Unknown, |by| moved(by.wrapping_neg())),
        (
            "leaq" | "lea",
            _,
            Some(Memory {
                base, index: None, ..
            }),
        ) if *base == Some(frame_pointer) => {
            let value = source.memory().and_then(Memory::displacement_value);
            value.map_or(Depth::Unknown, |by| Depth::Bytes(8_i64.wrapping_sub(by)))
        }
        ("movq" | "mov", _, _) if source.register() == Some(frame_pointer) => Depth::Bytes(8),
        _ => Depth::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::certain_frames;
    use crate::diagnostic::Diagnostics;
    use crate::labels::Labels;
    use crate::source::parse;

    fn frames(text: &str) -> Vec<bool> {
        let program = parse(text, &mut Diagnostics::default());
        certain_frames(&program, &Labels::collect(&program))
    }

    #[test]
    fn a_jump_after_the_frame_is_gone_may_be_a_tail_call() {
        let text =
            ".globl f\n.type f, @function\nf: pushq %rbx\njmp *(%rdi)\npopq %rbx\njmp *(%rsi)\n";
        let with_label = text.replace("popq", ".L1: popq") + ".data\n.quad .L1\n";
        assert_eq!(frames(&with_label), [false, true, true, false]);
    }

    #[test]
    fn a_computed_stack_pointer_is_never_certain() {
        let text = ".type f, @function\nf: subq $8, %rsp\nandq $-32, %rsp\njmp *(%rdi)\n";
        assert_eq!(frames(text), [false, true, false]);
    }
}
