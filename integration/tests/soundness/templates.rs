//! Every instruction that the verifier accepts by itself, found by asking it.
//!
//! The list of allowed instructions is private to the verifier, and what is checked here must not
//! depend on it: each opcode that the disassembler knows is built with each kind of operand and
//! offered, and what passes is a template for random code.

use iced_x86::{Code, Encoder, EncodingKind, Instruction, OpCodeOperandKind as Kind, OpKind};
use iced_x86::{Decoder, DecoderOptions};
use iced_x86::{MemorySize, Register};
use vino_abi::IMAGE_OFFSET;
use vino_sandbox::{Policy, SymbolTable, Text, verify};

use crate::random::Random;

/// The general registers in the disassembler's order, for each width.
const GPR8: [Register; 16] = [
    Register::AL,
    Register::CL,
    Register::DL,
    Register::BL,
    Register::SPL,
    Register::BPL,
    Register::SIL,
    Register::DIL,
    Register::R8L,
    Register::R9L,
    Register::R10L,
    Register::R11L,
    Register::R12L,
    Register::R13L,
    Register::R14L,
    Register::R15L,
];
/// Registers that random code leaves alone most of the time, so that they stay pointers.
pub(crate) const POINTERS: [Register; 4] =
    [Register::RDI, Register::RBX, Register::RBP, Register::R12];
/// Registers that random code writes to.
const SCRATCH: [Register; 11] = [
    Register::RAX,
    Register::RCX,
    Register::RDX,
    Register::RSI,
    Register::R8,
    Register::R9,
    Register::R10,
    Register::R11,
    Register::R13,
    Register::R14,
    Register::R15,
];
const ALL: [Register; 16] = [
    Register::RAX,
    Register::RCX,
    Register::RDX,
    Register::RBX,
    Register::RSP,
    Register::RBP,
    Register::RSI,
    Register::RDI,
    Register::R8,
    Register::R9,
    Register::R10,
    Register::R11,
    Register::R12,
    Register::R13,
    Register::R14,
    Register::R15,
];

/// An instruction and whether it has a memory operand.
#[derive(Clone, Copy)]
pub(crate) struct Template {
    pub(crate) code: Code,
    memory: bool,
}

/// Where a random instruction finds its memory.
pub(crate) struct Places {
    /// Sandbox offsets of pages that an address without a register may name.
    pub(crate) fixed: Vec<u32>,
}

/// The templates, in the order of the disassembler's opcodes.
pub(crate) fn discover() -> Vec<Template> {
    let places = Places {
        fixed: vec![0x1_0000],
    };
    let mut found = Vec::new();
    for code in Code::values() {
        let op_code = code.op_code();
        let encoding = matches!(op_code.encoding(), EncodingKind::Legacy | EncodingKind::VEX);
        if !op_code.mode64() || !op_code.is_instruction() || !encoding {
            continue;
        }
        for memory in [false, true] {
            let template = Template { code, memory };
            // Among several tries one has operands that no rule minds.
            let mut random = Random::new(code as u64);
            let passes = (0..8).any(|_| {
                let built = template.build(&mut random, &places, Care::Careful);
                let bytes = built.and_then(|instruction| encode(&instruction, 0));
                bytes.is_some_and(|bytes| reads_as(code, &bytes) && stands_alone(&bytes))
            });
            if passes {
                found.push(template);
            }
        }
    }
    found
}

/// Whether the bytes mean this opcode first of all: some have a second name.
fn reads_as(code: Code, bytes: &[u8]) -> bool {
    Decoder::new(64, bytes, DecoderOptions::NONE)
        .decode()
        .code()
        == code
}

fn stands_alone(bytes: &[u8]) -> bool {
    let padded = [bytes, &[0xcc; 16]].concat();
    let text = Text {
        bytes: &padded,
        offset: IMAGE_OFFSET,
        image: IMAGE_OFFSET..IMAGE_OFFSET + 0x1000,
        imports: &[],
        entries: &[],
        relocations: &[],
        symbols: &SymbolTable::default(),
    };
    verify(&text, &Policy::default()).is_ok()
}

/// The bytes of an instruction at an offset from the start of text.
pub(crate) fn encode(instruction: &Instruction, position: usize) -> Option<Vec<u8>> {
    let mut encoder = Encoder::new(64);
    let ip = u64::from(IMAGE_OFFSET) + position as u64;
    encoder.encode(instruction, ip).ok()?;
    Some(encoder.take_buffer())
}

/// How often an operand is one that a rule minds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Care {
    Careful,
    Careless,
}

impl Template {
    /// An instruction of this kind with random operands; `None` if none can be made.
    pub(crate) fn build(
        self,
        random: &mut Random,
        places: &Places,
        care: Care,
    ) -> Option<Instruction> {
        let mut instruction = Instruction::default();
        instruction.set_code(self.code);
        let mut has_memory = false;
        for (index, &kind) in (0..).zip(self.code.op_code().op_kinds()) {
            if let Some(class) = memory_class(kind)
                && (self.memory || class == Class::OnlyMemory)
            {
                if !self.memory {
                    return None;
                }
                instruction.set_op_kind(index, OpKind::Memory);
                set_memory(&mut instruction, random, places, care);
                has_memory = true;
            } else if let Some(immediate) = immediate(kind) {
                instruction.set_op_kind(index, immediate);
                set_immediate(&mut instruction, index, immediate, kind, random);
            } else {
                instruction.set_op_kind(index, OpKind::Register);
                instruction.set_op_register(index, register(kind, random, care)?);
            }
        }
        (has_memory == self.memory).then_some(instruction)
    }
}

#[derive(PartialEq, Eq)]
enum Class {
    OnlyMemory,
    RegisterOrMemory,
}

fn memory_class(kind: Kind) -> Option<Class> {
    match kind {
        Kind::mem => Some(Class::OnlyMemory),
        Kind::r8_or_mem
        | Kind::r16_or_mem
        | Kind::r32_or_mem
        | Kind::r64_or_mem
        | Kind::mm_or_mem
        | Kind::xmm_or_mem
        | Kind::ymm_or_mem => Some(Class::RegisterOrMemory),
        _ => None,
    }
}

fn immediate(kind: Kind) -> Option<OpKind> {
    match kind {
        Kind::imm8 | Kind::imm8_const_1 => Some(OpKind::Immediate8),
        Kind::imm16 => Some(OpKind::Immediate16),
        Kind::imm32 => Some(OpKind::Immediate32),
        Kind::imm64 => Some(OpKind::Immediate64),
        Kind::imm8sex16 => Some(OpKind::Immediate8to16),
        Kind::imm8sex32 => Some(OpKind::Immediate8to32),
        Kind::imm8sex64 => Some(OpKind::Immediate8to64),
        Kind::imm32sex64 => Some(OpKind::Immediate32to64),
        _ => None,
    }
}

fn set_immediate(
    instruction: &mut Instruction,
    index: u32,
    immediate: OpKind,
    kind: Kind,
    random: &mut Random,
) {
    if kind == Kind::imm8_const_1 {
        instruction.set_immediate8(1);
        return;
    }
    let value = random.sized();
    let value = match immediate {
        OpKind::Immediate8 => value & 0xff,
        OpKind::Immediate16 => value & 0xffff,
        OpKind::Immediate32 => value & 0xffff_ffff,
        OpKind::Immediate8to16 | OpKind::Immediate8to32 | OpKind::Immediate8to64 => {
            value << 56 >> 56
        }
        OpKind::Immediate32to64 => value << 32 >> 32,
        _ => value,
    };
    instruction.set_immediate_i64(index, value);
}

/// A register of the kind that an operand takes.
fn register(kind: Kind, random: &mut Random, care: Care) -> Option<Register> {
    let any = match care {
        Care::Careful => random.pick(&SCRATCH),
        Care::Careless => random.pick(&ALL),
    };
    let vector = u32::try_from(random.below(16)).expect("below 16");
    Some(match kind {
        Kind::r8_reg | Kind::r8_or_mem | Kind::r8_opcode => GPR8[any.number()],
        Kind::r16_reg | Kind::r16_or_mem | Kind::r16_opcode | Kind::r16_rm => {
            Register::AX + u32::try_from(any.number()).expect("below 16")
        }
        Kind::r32_reg | Kind::r32_or_mem | Kind::r32_opcode | Kind::r32_rm | Kind::r32_vvvv => {
            any.full_register32()
        }
        Kind::r64_reg | Kind::r64_or_mem | Kind::r64_opcode | Kind::r64_rm | Kind::r64_vvvv => any,
        Kind::xmm_reg | Kind::xmm_or_mem | Kind::xmm_vvvv | Kind::xmm_rm | Kind::xmm_is4 => {
            Register::XMM0 + vector
        }
        Kind::ymm_reg | Kind::ymm_or_mem | Kind::ymm_vvvv | Kind::ymm_rm | Kind::ymm_is4 => {
            Register::YMM0 + vector
        }
        Kind::mm_reg | Kind::mm_or_mem | Kind::mm_rm => Register::MM0 + vector % 8,
        Kind::al => Register::AL,
        Kind::cl => Register::CL,
        Kind::ax => Register::AX,
        Kind::eax => Register::EAX,
        Kind::rax => Register::RAX,
        Kind::dx => Register::DX,
        Kind::st0 => Register::ST0,
        Kind::sti_opcode => Register::ST1,
        _ => return None,
    })
}

fn set_memory(instruction: &mut Instruction, random: &mut Random, places: &Places, care: Care) {
    let aligned = 32 * i64::try_from(random.below(8)).expect("small");
    let plain = matches!(instruction.memory_size(), MemorySize::Unknown);
    let wrong = care == Care::Careless && random.chance(3);
    match random.below(10) {
        // What computes an address takes no segment.
        _ if plain && !wrong => {
            instruction.set_memory_base(random.pick(&ALL));
            displace(instruction, random.sized() << 32 >> 32);
        }
        0..3 => {
            instruction.set_memory_base(Register::RSP);
            let far = random.chance(5).then(|| random.sized() << 32 >> 32);
            displace(instruction, far.unwrap_or(aligned - 64));
        }
        3..6 => {
            instruction.set_segment_prefix(Register::GS);
            displace(instruction, i64::from(random.pick(&places.fixed)) + aligned);
        }
        6..9 => {
            instruction.set_segment_prefix(Register::GS);
            instruction.set_memory_base(random.pick(&POINTERS).full_register32());
            displace(instruction, aligned);
        }
        _ => {
            instruction.set_segment_prefix(Register::GS);
            instruction.set_memory_base(random.pick(&ALL).full_register32());
            let index = random.pick(&ALL);
            if index != Register::RSP {
                instruction.set_memory_index(index.full_register32());
                instruction.set_memory_index_scale(random.pick(&[1, 2, 4, 8]));
            }
            displace(instruction, random.sized() << 32 >> 32);
        }
    }
    if wrong {
        spoil(instruction, random);
    }
}

/// Makes an operand one that a rule minds: another segment, or no truncation.
fn spoil(instruction: &mut Instruction, random: &mut Random) {
    if random.chance(50) {
        instruction.set_segment_prefix(random.pick(&[Register::None, Register::FS]));
    }
    if random.chance(50) {
        let (base, index) = (instruction.memory_base(), instruction.memory_index());
        let displacement = i64::from(instruction.memory_displacement32().cast_signed());
        instruction.set_memory_base(base.full_register());
        instruction.set_memory_index(index.full_register());
        displace(instruction, displacement);
    }
}

fn displace(instruction: &mut Instruction, displacement: i64) {
    let size = match instruction.memory_base() {
        Register::None => 8,
        _ if displacement == 0 => 0,
        _ if i8::try_from(displacement).is_ok() => 1,
        base if base.is_gpr32() => 4,
        _ => 8,
    };
    instruction.set_memory_displ_size(size);
    let truncated = instruction.memory_base().is_gpr32() || instruction.memory_index().is_gpr32();
    let value = displacement.cast_unsigned();
    instruction.set_memory_displacement64(if truncated {
        value & 0xffff_ffff
    } else {
        value
    });
}
