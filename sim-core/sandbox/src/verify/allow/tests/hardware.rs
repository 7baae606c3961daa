//! Executes every entry of the list on this processor, in a sandbox.
//!
//! What the verifier believes of an instruction is the disassembler's word; here the processor has
//! the last one: how long the instruction is, that it does nothing but what a sandbox allows, and
//! that it touches its memory operand where the list says that it certainly does.

use std::process::Command;

use iced_x86::{Mnemonic, OpKind, Register};

use super::{Class, Instruction, Spec, encode, instructions, is_memory};
use crate::{
    DecodedImage, Engine, FaultKind, GraftFault, Instance, InstanceConfig, Limits, NoHost, Policy,
    VerifiedImage,
};

/// Bytes of the label before the instruction.
const LABEL_BYTES: u32 = 8;
/// `mov %edi,%esp; add %gs:BASE_SLOT,%rsp`.
const MOVE_STACK: [u8; 11] = [
    0x89, 0xfc, 0x65, 0x48, 0x03, 0x24, 0x25, 0x00, 0x00, 0x01, 0x00,
];
/// In the argument page, aligned for any access.
const MAPPED: u64 = vino_abi::ARGUMENTS_OFFSET as u64 + 0x100;
/// Between the heap, which is empty, and the views.
const NOT_MAPPED: u64 = 0x8800_0000;
/// Instructions that at least must have been executed; a processor may lack some.
const EXECUTED_MIN: usize = 1_000;

/// One instruction as a function of a graft: label, preamble, instruction, `int3`.
struct Probe {
    instruction: Instruction,
    preamble: &'static [u8],
    bytes: Vec<u8>,
}

impl Probe {
    fn start(&self) -> u32 {
        LABEL_BYTES + u32::try_from(self.preamble.len()).expect("short")
    }

    fn end(&self) -> u32 {
        self.start() + u32::try_from(self.bytes.len()).expect("short")
    }
}

fn load(probes: &[Probe]) -> Instance {
    let mut source = String::from(".text\n");
    for (index, probe) in probes.iter().enumerate() {
        let label = vino_abi::LABEL_TARGET;
        let code = [&label, probe.preamble, &probe.bytes, &[0xcc]].concat();
        let bytes: Vec<String> = code.iter().map(u8::to_string).collect();
        source.push_str(&format!(".globl f{index}\nf{index}: .byte "));
        source.push_str(&bytes.join(","));
        source.push('\n');
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (input, output) = (folder.path().join("all.s"), folder.path().join("all.o"));
    std::fs::write(&input, source).expect("a file");
    let mut run = Command::new("as");
    let run = run.arg("-o").arg(&output).arg(&input).status();
    assert!(run.expect("as runs").success());
    let object = std::fs::read(&output).expect("as wrote its output");
    let image = DecodedImage::decode(&object, &Limits::default()).expect("an object");
    let image = image.link(&mut |_| None).expect("no imports");
    let engine = Engine::new().expect("this machine runs grafts");
    let image = VerifiedImage::verify(&engine, image, &Policy::default());
    let image = image.expect("every probe is accepted");
    Instance::new(&image, InstanceConfig::default()).expect("a sandbox")
}

/// Runs a probe; its end, and how far after the start of its function that is.
fn run(instance: &mut Instance, index: usize, args: &[u64]) -> (GraftFault, u32) {
    let entry = instance.entry(&format!("f{index}")).expect("it is global");
    let outcome = instance.call(entry, args, &mut NoHost);
    let fault = outcome.expect_err("every probe ends in a trap");
    let distance = fault.pc.offset().wrapping_sub(entry.offset());
    (fault, distance)
}

fn divides(instruction: &Instruction) -> bool {
    matches!(instruction.mnemonic(), Mnemonic::Div | Mnemonic::Idiv)
}

/// The verifier and the processor agree where each instruction ends, and doing it twice gives the
/// same registers.
#[test]
fn every_entry_is_as_long_on_this_processor_and_gives_the_same_twice() {
    let aligned = |(mut instruction, spec): (Instruction, &'static Spec)| {
        instruction.set_memory_displacement64(0x20);
        let registers_only = spec.class == Class::RegistersOnly && instruction.has_segment_prefix();
        let harmless = spec.class != Class::Trap && !registers_only;
        harmless.then(|| Probe {
            bytes: encode(&instruction),
            instruction,
            preamble: &[],
        })
    };
    let probes: Vec<Probe> = instructions().filter_map(aligned).collect();
    let mut instance = load(&probes);
    let mut executed = 0;
    for (index, probe) in probes.iter().enumerate() {
        let args = [MAPPED, 3, 5, 7, 11, 13];
        let (fault, distance) = run(&mut instance, index, &args);
        let name = format!("{:?} {:02x?}", probe.instruction.code(), probe.bytes);
        if distance == probe.start() {
            let lacking = fault.kind == FaultKind::IllegalInstruction;
            let divided = fault.kind == FaultKind::Arithmetic && divides(&probe.instruction);
            assert!(lacking || divided, "{name}: {fault}");
            continue;
        }
        assert_eq!(fault.kind, FaultKind::IllegalInstruction, "{name}: {fault}");
        assert_eq!(distance, probe.end(), "{name}");
        executed += 1;
        let read_only = probe.instruction.op0_kind() != OpKind::Memory;
        if read_only {
            let (again, _) = run(&mut instance, index, &args);
            assert_eq!(again.registers, fault.registers, "{name}");
        }
    }
    assert!(executed > EXECUTED_MIN, "only {executed} were executed");
}

/// R7 rests on this: such an access proves where `%rsp` is.
#[test]
fn every_certain_access_faults_where_nothing_is_mapped() {
    let mut probes = Vec::new();
    for (mut instruction, spec) in instructions() {
        let op_code = instruction.op_code();
        let kinds = op_code.op_kinds();
        let operand = kinds.iter().position(|kind| is_memory(*kind));
        let certain = operand.is_some_and(|operand| spec.accesses[operand].is_certain());
        if !instruction.has_segment_prefix() || !certain || spec.class != Class::Plain {
            continue;
        }
        instruction.set_segment_prefix(Register::None);
        instruction.set_memory_base(Register::RSP);
        // What masks and counts select must not matter.
        let selector = (0..instruction.op_count())
            .find(|&index| instruction.op_kind(index) == OpKind::Immediate8);
        let constant = op_code
            .op_kinds()
            .contains(&iced_x86::OpCodeOperandKind::imm8_const_1);
        let values: &[u64] = match selector {
            Some(_) if !constant => &[0, 0x0f, 0x88, 0xff],
            _ => &[1],
        };
        for &value in values {
            if let Some(index) = selector {
                instruction.set_immediate_u64(index, value);
            }
            probes.push(Probe {
                bytes: encode(&instruction),
                instruction,
                preamble: &MOVE_STACK,
            });
        }
    }
    assert!(probes.len() > EXECUTED_MIN);
    let mut instance = load(&probes);
    for (index, probe) in probes.iter().enumerate() {
        let name = format!("{:?} {:02x?}", probe.instruction.code(), probe.bytes);
        for rest in [0, u64::MAX] {
            let args = [NOT_MAPPED, rest, rest, rest, rest, rest];
            let (fault, distance) = run(&mut instance, index, &args);
            assert_eq!(distance, probe.start(), "{name} went past its operand");
            let lacking = fault.kind == FaultKind::IllegalInstruction;
            // Some instructions refuse an unaligned address before they look at the page.
            let aligned = fault.kind == FaultKind::Misaligned;
            let faulted = matches!(fault.kind, FaultKind::Memory { .. });
            assert!(lacking || aligned || faulted, "{name}: {fault}");
        }
    }
}
