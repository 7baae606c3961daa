//! Compares the list with what the disassembler knows, and verifies each entry in every form and
//! with every prefix.

mod encodings;
mod hardware;

use iced_x86::{
    Code, Decoder, DecoderOptions, Encoder, EncodingKind, FlowControl, Instruction,
    InstructionInfoFactory, Mnemonic, OpAccess, OpCodeOperandKind as Kind, OpKind, Register,
};

use super::{Access, Class, Constants, Spec, Table, WITH_VECTORS, WITHOUT_VECTORS};
use crate::image::SymbolTable;
use crate::verify::canonical::displacement_bytes;
use crate::verify::{Policy, Text, VerifiedText, verify};

const OFFSET: u32 = vino_abi::IMAGE_OFFSET;
const FILL: [u8; 16] = [0xcc; 16];

/// Every entry of the list.
fn entries() -> impl Iterator<Item = (Code, &'static Spec)> {
    Code::values().filter_map(|code| Some((code, Table::get().lookup(code)?)))
}

/// Whether the verdict on an instruction of this class depends on what is before or after it.
fn depends_on_context(class: Class) -> bool {
    matches!(
        class,
        Class::Call
            | Class::Jump
            | Class::Branch
            | Class::IndirectCall
            | Class::IndirectJump
            | Class::Return
            | Class::MoveString
            | Class::StoreString
    )
}

/// The instruction with registers or, if it may have one, a memory operand.
fn build(code: Code, spec: &Spec, memory: bool) -> Option<Instruction> {
    let mut instruction = Instruction::default();
    instruction.set_code(code);
    let kinds = code.op_code().op_kinds();
    let may_be_register = !kinds.contains(&Kind::mem);
    let may_be_memory = kinds.iter().any(|kind| is_memory(*kind));
    if (memory && !may_be_memory) || (!memory && !may_be_register) {
        return None;
    }
    for (index, &kind) in (0..).zip(kinds) {
        if memory && is_memory(kind) {
            instruction.set_op_kind(index, OpKind::Memory);
            instruction.set_memory_displ_size(1);
            instruction.set_memory_displacement64(8);
            if matches!(spec.class, Class::Lea | Class::Nop) {
                instruction.set_memory_base(Register::RDI);
            } else {
                instruction.set_memory_base(Register::EDI);
                instruction.set_segment_prefix(Register::GS);
            }
        } else {
            set_operand(&mut instruction, index, kind);
        }
    }
    Some(instruction)
}

fn is_memory(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::mem
            | Kind::r8_or_mem
            | Kind::r16_or_mem
            | Kind::r32_or_mem
            | Kind::r64_or_mem
            | Kind::xmm_or_mem
            | Kind::ymm_or_mem
    )
}

fn set_operand(instruction: &mut Instruction, index: u32, kind: Kind) {
    let immediate = match kind {
        Kind::imm8 => Some(OpKind::Immediate8),
        Kind::imm8_const_1 => Some(OpKind::Immediate8),
        Kind::imm16 => Some(OpKind::Immediate16),
        Kind::imm32 => Some(OpKind::Immediate32),
        Kind::imm64 => Some(OpKind::Immediate64),
        Kind::imm8sex16 => Some(OpKind::Immediate8to16),
        Kind::imm8sex32 => Some(OpKind::Immediate8to32),
        Kind::imm8sex64 => Some(OpKind::Immediate8to64),
        Kind::imm32sex64 => Some(OpKind::Immediate32to64),
        _ => None,
    };
    if let Some(immediate) = immediate {
        instruction.set_op_kind(index, immediate);
        instruction.set_immediate_u64(index, 1);
        return;
    }
    let registers = match kind {
        Kind::r8_reg | Kind::r8_or_mem | Kind::r8_opcode => {
            [Register::BL, Register::DL, Register::R8L, Register::R9L]
        }
        Kind::r16_reg | Kind::r16_or_mem | Kind::r16_opcode => {
            [Register::BX, Register::DX, Register::R8W, Register::R9W]
        }
        Kind::r32_reg | Kind::r32_or_mem | Kind::r32_opcode | Kind::r32_vvvv => {
            [Register::EBX, Register::EDX, Register::R8D, Register::R9D]
        }
        Kind::r64_reg | Kind::r64_or_mem | Kind::r64_opcode | Kind::r64_vvvv => {
            [Register::RBX, Register::RDX, Register::R8, Register::R9]
        }
        Kind::xmm_reg | Kind::xmm_or_mem | Kind::xmm_vvvv | Kind::xmm_rm | Kind::xmm_is4 => [
            Register::XMM1,
            Register::XMM2,
            Register::XMM3,
            Register::XMM4,
        ],
        Kind::ymm_reg | Kind::ymm_or_mem | Kind::ymm_vvvv | Kind::ymm_rm | Kind::ymm_is4 => [
            Register::YMM1,
            Register::YMM2,
            Register::YMM3,
            Register::YMM4,
        ],
        Kind::al => [Register::AL; 4],
        Kind::ax => [Register::AX; 4],
        Kind::eax => [Register::EAX; 4],
        Kind::rax => [Register::RAX; 4],
        Kind::cl => [Register::CL; 4],
        other => panic!(
            "{:?} has an operand {other:?}, which no rule covers",
            instruction.code()
        ),
    };
    instruction.set_op_kind(index, OpKind::Register);
    instruction.set_op_register(index, registers[index as usize]);
}

/// Both forms of every entry whose verdict stands by itself.
fn instructions() -> impl Iterator<Item = (Instruction, &'static Spec)> {
    entries()
        .filter(|(_, spec)| !depends_on_context(spec.class))
        .flat_map(|(code, spec)| [false, true].map(|memory| (build(code, spec, memory), spec)))
        .filter_map(|(instruction, spec)| Some((instruction?, spec)))
}

fn encode(instruction: &Instruction) -> Vec<u8> {
    let mut encoder = Encoder::new(64);
    let outcome = encoder.encode(instruction, u64::from(OFFSET));
    outcome.unwrap_or_else(|error| panic!("{instruction:?}: {error}"));
    encoder.take_buffer()
}

fn decode(bytes: &[u8]) -> Instruction {
    Decoder::with_ip(64, bytes, u64::from(OFFSET), DecoderOptions::NONE).decode()
}

fn is_accepted(bytes: &[u8]) -> bool {
    proof_of(bytes).is_some()
}

fn proof_of(bytes: &[u8]) -> Option<VerifiedText> {
    let padded = [bytes, &FILL].concat();
    let text = Text {
        bytes: &padded,
        offset: OFFSET,
        image: OFFSET..OFFSET + 0x1000,
        imports: &[],
        entries: &[],
        relocations: &[],
        symbols: &SymbolTable::default(),
    };
    verify(&text, &Policy::default()).ok()
}

#[test]
fn nothing_on_the_list_is_privileged_or_touches_hidden_state() {
    assert!(entries().count() > 1_400);
    for (code, spec) in entries() {
        let op_code = code.op_code();
        assert!(op_code.mode64() && !op_code.must_be_cpl0(), "{code:?}");
        assert!(
            !code.is_privileged() && !code.is_save_restore_instruction(),
            "{code:?}"
        );
        let encoding = matches!(op_code.encoding(), EncodingKind::Legacy | EncodingKind::VEX);
        assert!(encoding, "{code:?}");
        let operands = spec
            .accesses
            .iter()
            .filter(|access| **access != Access::Absent)
            .count();
        assert_eq!(operands, op_code.op_count() as usize, "{code:?}");
        let transfers = code.flow_control() != FlowControl::Next;
        let expected = depends_on_context(spec.class) || spec.class == Class::Trap;
        let string = matches!(spec.class, Class::MoveString | Class::StoreString);
        assert_eq!(transfers, expected && !string, "{code:?}");
    }
}

#[test]
fn nothing_is_on_the_list_twice() {
    let lists = WITHOUT_VECTORS.into_iter().chain(WITH_VECTORS);
    let listed: usize = lists.flatten().map(|group| group.codes.len()).sum();
    assert_eq!(listed, entries().count());
}

#[test]
fn the_proof_says_whether_any_instruction_names_a_vector_register() {
    let mut factory = InstructionInfoFactory::new();
    let mut seen = [0, 0];
    for (code, spec) in entries() {
        let kinds = code.op_code().op_kinds();
        let operand = kinds.iter().any(|kind| format!("{kind:?}").contains("mm_"));
        assert!(!operand || spec.names_vectors, "{code:?}");
    }
    for (instruction, spec) in instructions() {
        let info = factory.info(&instruction);
        let mut used = info.used_registers().iter();
        let named = used.any(|used| used.register().is_vector_register());
        assert!(!named || spec.names_vectors, "{instruction:?}");
        // A conversion from memory counts, though it names none.
        let named = spec.names_vectors;
        // Alone, and as the one among others.
        let bytes = encode(&instruction);
        if let Some(proof) = proof_of(&bytes) {
            assert_eq!(proof.names_vectors(), named, "{instruction:?}");
            seen[usize::from(named)] += 1;
            let among = [&[0x31, 0xc0], &bytes[..], &[0x31, 0xc0]].concat();
            let among = proof_of(&among).map(|proof| proof.names_vectors());
            assert_eq!(among, Some(named), "{instruction:?}");
        }
    }
    assert!(seen.into_iter().all(|seen| seen > 100), "{seen:?}");
}

#[test]
fn constants_are_the_last_bytes_of_an_instruction() {
    for (instruction, spec) in instructions() {
        let bytes = encode(&instruction);
        let mut decoder = Decoder::with_ip(64, &bytes, u64::from(OFFSET), DecoderOptions::NONE);
        let read = decoder.decode();
        let offsets = decoder.get_constant_offsets(&read);
        let Constants::Last { immediate_bytes } = spec.constants else {
            assert_eq!(
                read.op_kind(read.op_count() - 1),
                OpKind::Register,
                "{read:?}"
            );
            continue;
        };
        let encoded = offsets.immediate_size() + offsets.immediate_size2();
        assert_eq!(immediate_bytes, encoded, "{read:?}");
        if offsets.has_immediate() {
            assert_eq!(
                offsets.immediate_offset() + immediate_bytes,
                bytes.len(),
                "{read:?}"
            );
        }
        if offsets.has_displacement() {
            let end = offsets.displacement_offset() + displacement_bytes(&read);
            assert_eq!(end + immediate_bytes, bytes.len(), "{read:?}");
        }
    }
}

#[test]
fn accesses_are_what_the_disassembler_says() {
    let mut factory = InstructionInfoFactory::new();
    for (instruction, spec) in instructions() {
        let info = factory.info(&instruction);
        for (index, &access) in (0..instruction.op_count()).zip(&spec.accesses) {
            let memory = instruction.op_kind(index) == OpKind::Memory;
            let masked = memory && is_masked(instruction.mnemonic());
            let expected: &[Access] = match info.op_access(index) {
                OpAccess::NoMemAccess | OpAccess::None if spec.class == Class::Prefetch => {
                    &[Access::Hint]
                }
                OpAccess::NoMemAccess | OpAccess::None => &[Access::Address],
                // The disassembler overlooks that the mask of a masked move may be zero.
                OpAccess::Read if masked => &[Access::MaybeRead],
                OpAccess::Write if masked => &[Access::MaybeWrite],
                OpAccess::Read => &[Access::Read],
                OpAccess::CondRead => &[Access::MaybeRead],
                OpAccess::Write if memory => &[Access::Write],
                OpAccess::CondWrite if memory => &[Access::MaybeWrite],
                OpAccess::ReadWrite | OpAccess::ReadCondWrite if memory => &[Access::ReadWrite],
                // Of registers it only matters that they may be written; whether they are read
                // as well may depend on the other operand.
                OpAccess::Write
                | OpAccess::CondWrite
                | OpAccess::ReadWrite
                | OpAccess::ReadCondWrite => &[Access::Write, Access::ReadWrite],
            };
            assert!(
                expected.contains(&access),
                "{instruction:?} operand {index}: {access:?}"
            );
        }
    }
}

fn is_masked(mnemonic: Mnemonic) -> bool {
    use Mnemonic::{Vmaskmovpd, Vmaskmovps, Vpmaskmovd, Vpmaskmovq};
    matches!(mnemonic, Vmaskmovps | Vmaskmovpd | Vpmaskmovd | Vpmaskmovq)
}

#[test]
fn no_memory_is_used_that_the_operands_do_not_show() {
    let mut factory = InstructionInfoFactory::new();
    for (instruction, spec) in instructions() {
        let stack = matches!(spec.class, Class::Push | Class::Pop);
        let info = factory.info(&instruction);
        for memory in info.used_memory() {
            let shown = matches!(memory.base(), Register::EDI | Register::RDI);
            assert!(
                shown || stack && memory.base() == Register::RSP,
                "{instruction:?}: {memory:?}"
            );
        }
        for used in info.used_registers() {
            let reads = matches!(used.access(), OpAccess::Read | OpAccess::CondRead);
            let register = used.register().full_register();
            assert!(
                reads || register != Register::RSP || stack,
                "{instruction:?}"
            );
            let segment = register.is_segment_register() && register != Register::GS;
            // String pushes and `(%rsp)` use %ss, which has base zero.
            assert!(
                !segment || register == Register::SS,
                "{instruction:?}: {register:?}"
            );
            let foreign = register.is_st() || register.is_mm() || register.is_k();
            assert!(
                !foreign && !register.is_cr() && !register.is_dr(),
                "{instruction:?}"
            );
        }
    }
}

#[test]
fn every_entry_is_accepted_in_each_of_its_forms() {
    for (instruction, spec) in instructions() {
        let bytes = encode(&instruction);
        assert_eq!(
            decode(&bytes).code(),
            instruction.code(),
            "{instruction:?}: {bytes:02x?}"
        );
        let memory = instruction.has_segment_prefix();
        let accepted = !(memory && spec.class == Class::RegistersOnly);
        assert_eq!(
            is_accepted(&bytes),
            accepted,
            "{instruction:?}: {bytes:02x?}"
        );
    }
}

#[test]
fn no_entry_is_accepted_with_a_prefix_that_does_nothing() {
    const PREFIXES: [u8; 11] = [
        0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3,
    ];
    for (instruction, spec) in instructions() {
        let bytes = encode(&instruction);
        let legacy = bytes
            .iter()
            .take_while(|byte| PREFIXES.contains(byte))
            .count();
        let rex = (0x40..0x50).map(|rex| (legacy, rex));
        let prefixes = PREFIXES.iter().map(|&prefix| (0, prefix));
        for (at, prefix) in prefixes.chain(rex) {
            let mut longer = bytes.clone();
            longer.insert(at, prefix);
            let read = decode(&longer);
            let means_more = read.code() != instruction.code()
                || (0..read.op_count()).any(|operand| differs(&read, &instruction, operand))
                || (read.has_lock_prefix() && spec.accesses[0] == Access::ReadWrite)
                // Padding is lengthened by its operand size, and carries %cs.
                || (spec.class == Class::Nop && matches!(prefix, 0x2e | 0x66));
            let whole = read.len() == longer.len();
            assert!(
                !is_accepted(&longer) || (means_more && whole),
                "{instruction:?} with {prefix:02x} at {at}: {longer:02x?}"
            );
        }
    }
}

/// Whether an operand of two instructions is not the same.
fn differs(a: &Instruction, b: &Instruction, operand: u32) -> bool {
    a.op_kind(operand) != b.op_kind(operand)
        || match a.op_kind(operand) {
            OpKind::Register => a.op_register(operand) != b.op_register(operand),
            OpKind::Memory => {
                (a.memory_base(), a.memory_index()) != (b.memory_base(), b.memory_index())
            }
            _ => false,
        }
}
