//! Where the operands of an instruction may be.

use std::ops::Range;

use iced_x86::{Instruction, OpKind, Register};

use super::allow::{Access, Class, Spec};
use super::canonical::Known;
use super::rule::Rule;

/// How far from `%rsp` an access may be and still prove that `%rsp` is near the sandbox.
///
/// After such an access `%rsp` is within this distance of mapped memory of the sandbox. With the
/// drift that is allowed until the next access and the 2 GiB that a displacement spans, every
/// access stays within the 4 GiB of guard on either side.
const PROBE_DISTANCE_MAX: u64 = 1 << 30;

/// Which memory an operand reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The sandbox, whatever the registers hold.
    Sandbox,
    /// The stack, close enough to `%rsp` to show where `%rsp` is.
    StackProbe,
    /// The stack, far from `%rsp`.
    Stack,
    /// It depends on registers.
    Anywhere,
}

/// Classifies the memory operand of an instruction.
pub(super) fn reach(instruction: &Instruction, image: &Range<u32>) -> Result<Reach, Rule> {
    let base = instruction.memory_base();
    let index = instruction.memory_index();
    let displacement = instruction.memory_displacement64();
    match (instruction.segment_prefix(), base, index) {
        (Register::None, Register::RSP, Register::None) => {
            let distance = displacement.min(displacement.wrapping_neg());
            Ok(if distance <= PROBE_DISTANCE_MAX {
                Reach::StackProbe
            } else {
                Reach::Stack
            })
        }
        (Register::None, Register::RIP, Register::None) => {
            // The disassembler answers with the target, as its addresses are sandbox offsets.
            let end = displacement.saturating_add(instruction.memory_size().size() as u64);
            let inside = u64::from(image.start) <= displacement && end <= u64::from(image.end);
            if inside {
                Ok(Reach::Sandbox)
            } else {
                Err(Rule::R5)
            }
        }
        (Register::GS, Register::None, Register::None) => {
            // Sign-extended from 32 bits, unless the address-size prefix cuts it off.
            let below = displacement > i32::MAX.unsigned_abs().into();
            if below || is_truncated(instruction) {
                Err(Rule::R5)
            } else {
                Ok(Reach::Sandbox)
            }
        }
        (Register::GS, base, index) if is_32_bit(base) && is_32_bit(index) => Ok(Reach::Sandbox),
        (Register::None, base, index) if is_64_bit(base) && is_64_bit(index) => Ok(Reach::Anywhere),
        _ => Err(Rule::R4),
    }
}

/// Whether the address-size prefix truncates the address to 32 bits.
pub(super) fn is_truncated(instruction: &Instruction) -> bool {
    let (base, index) = (instruction.memory_base(), instruction.memory_index());
    match (base, index) {
        // A displacement alone is given 8 bytes unless the prefix makes it 4.
        (Register::None, Register::None) => instruction.memory_displ_size() == 4,
        _ => base == Register::EIP || base.is_gpr32() || index.is_gpr32(),
    }
}

fn is_32_bit(register: Register) -> bool {
    register == Register::None || register.is_gpr32()
}

fn is_64_bit(register: Register) -> bool {
    register == Register::None || register.is_gpr64()
}

/// Whether writing to a register changes the stack pointer.
pub(super) fn is_stack_pointer(register: Register) -> bool {
    matches!(
        register,
        Register::RSP | Register::ESP | Register::SP | Register::SPL
    )
}

/// What the shape alone says about an instruction that kept every rule, `None` if its displacement,
/// its immediates or its neighbours matter.
pub(super) fn known_by_shape(instruction: &Instruction, spec: &Spec) -> Option<Known> {
    let context_free = matches!(
        spec.class,
        Class::Plain | Class::RegistersOnly | Class::Lea | Class::Nop | Class::Prefetch
    );
    if !context_free {
        return None;
    }
    let mut known = Known::Harmless;
    for (index, &access) in (0..instruction.op_count()).zip(&spec.accesses) {
        match instruction.op_kind(index) {
            OpKind::Register
                if access != Access::Read && is_stack_pointer(instruction.op_register(index)) =>
            {
                return None;
            }
            OpKind::Memory if access != Access::Address => {
                let base = instruction.memory_base();
                if instruction.has_segment_prefix() {
                    // `%gs`; without a register the displacement matters.
                    let registers =
                        base != Register::None || instruction.memory_index() != Register::None;
                    registers.then_some(())?;
                } else if base == Register::RSP
                    && instruction.memory_index() == Register::None
                    && instruction.memory_displ_size() <= 1
                    && access.is_certain()
                {
                    known = Known::StackProbe;
                } else {
                    return None;
                }
            }
            _ => {}
        }
    }
    Some(known)
}
