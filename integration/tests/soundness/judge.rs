//! What one instruction is about to do, worked out from its bytes and the registers.
//!
//! Nothing here is the verifier's: effective addresses are computed from the operands as the Intel
//! manual says, prefixes are read from the bytes, implicit accesses are written down by mnemonic,
//! and what the disassembler believes is used is added to that. What has no business in a sandbox
//! (segments, modes, system calls, hidden state) is named again, in words other than the
//! verifier's.

use iced_x86::{
    Code, CpuidFeature, EncodingKind, FlowControl, Instruction, InstructionInfoFactory, Mnemonic,
    OpAccess, OpKind, Register, RflagsBits,
};
use nix::libc::user_regs_struct;

/// A range of memory that an instruction is about to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) address: u64,
    pub(crate) bytes: u64,
    pub(crate) writes: bool,
    /// Whether it happens whatever else the registers hold, so that it must fault where nothing
    /// is mapped.
    pub(crate) certain: bool,
}

/// The prefixes of an instruction, as its bytes spell them.
#[derive(Clone, Copy, Default)]
struct Prefixes {
    address_size: bool,
    operand_size: bool,
    repeated: bool,
    segment: Option<u8>,
}

const FS: u8 = 0x64;
const GS: u8 = 0x65;

impl Prefixes {
    fn read(bytes: &[u8]) -> Self {
        let mut prefixes = Self::default();
        for byte in bytes {
            match byte {
                0x67 => prefixes.address_size = true,
                0x66 => prefixes.operand_size = true,
                0xf2 | 0xf3 => prefixes.repeated = true,
                &(FS | GS) => prefixes.segment = Some(*byte),
                0x26 | 0x2e | 0x36 | 0x3e | 0xf0 => {}
                _ => break,
            }
        }
        prefixes
    }

    fn segment_base(self, registers: &user_regs_struct) -> u64 {
        match self.segment {
            Some(FS) => registers.fs_base,
            Some(GS) => registers.gs_base,
            _ => 0,
        }
    }

    fn truncate(self, address: u64) -> u64 {
        if self.address_size {
            address & 0xffff_ffff
        } else {
            address
        }
    }
}

/// The value of a general register, whole or in part.
pub(crate) fn value(register: Register, registers: &user_regs_struct) -> Option<u64> {
    let whole = match register.full_register() {
        Register::RAX => registers.rax,
        Register::RCX => registers.rcx,
        Register::RDX => registers.rdx,
        Register::RBX => registers.rbx,
        Register::RSP => registers.rsp,
        Register::RBP => registers.rbp,
        Register::RSI => registers.rsi,
        Register::RDI => registers.rdi,
        Register::R8 => registers.r8,
        Register::R9 => registers.r9,
        Register::R10 => registers.r10,
        Register::R11 => registers.r11,
        Register::R12 => registers.r12,
        Register::R13 => registers.r13,
        Register::R14 => registers.r14,
        Register::R15 => registers.r15,
        _ => return None,
    };
    match register.size() {
        8 => Some(whole),
        4 => Some(whole & 0xffff_ffff),
        2 => Some(whole & 0xffff),
        _ => None,
    }
}

/// Instructions of the base set that change or show what is not the graft's.
const FORBIDDEN: [Mnemonic; 30] = [
    Mnemonic::Bound,
    Mnemonic::Cld,
    Mnemonic::Cli,
    Mnemonic::Enter,
    Mnemonic::Hlt,
    Mnemonic::In,
    Mnemonic::Insb,
    Mnemonic::Insd,
    Mnemonic::Insw,
    Mnemonic::Lahf,
    Mnemonic::Lar,
    Mnemonic::Ldmxcsr,
    Mnemonic::Lsl,
    Mnemonic::Maskmovdqu,
    Mnemonic::Out,
    Mnemonic::Outsb,
    Mnemonic::Outsd,
    Mnemonic::Outsw,
    Mnemonic::Popfq,
    Mnemonic::Pushfq,
    Mnemonic::Sgdt,
    Mnemonic::Sidt,
    Mnemonic::Sldt,
    Mnemonic::Smsw,
    Mnemonic::Std,
    Mnemonic::Sti,
    Mnemonic::Stmxcsr,
    Mnemonic::Str,
    Mnemonic::Vmaskmovdqu,
    Mnemonic::Xlatb,
];

/// The extensions whose instructions only compute, move and jump, besides those forbidden above.
const FEATURES: [CpuidFeature; 32] = [
    CpuidFeature::INTEL8086,
    CpuidFeature::INTEL186,
    CpuidFeature::INTEL286,
    CpuidFeature::INTEL386,
    CpuidFeature::INTEL486,
    CpuidFeature::X64,
    CpuidFeature::CMOV,
    CpuidFeature::MULTIBYTENOP,
    CpuidFeature::PAUSE,
    CpuidFeature::SSE,
    CpuidFeature::SSE2,
    CpuidFeature::SSE3,
    CpuidFeature::SSSE3,
    CpuidFeature::SSE4_1,
    CpuidFeature::SSE4_2,
    CpuidFeature::AVX,
    CpuidFeature::AVX2,
    CpuidFeature::FMA,
    CpuidFeature::F16C,
    CpuidFeature::BMI1,
    CpuidFeature::BMI2,
    CpuidFeature::ADX,
    CpuidFeature::POPCNT,
    CpuidFeature::LZCNT,
    CpuidFeature::MOVBE,
    CpuidFeature::AES,
    CpuidFeature::PCLMULQDQ,
    CpuidFeature::VPCLMULQDQ,
    CpuidFeature::VAES,
    CpuidFeature::SHA,
    CpuidFeature::CET_IBT,
    CpuidFeature::CX8,
];

/// Says why an instruction must not be executed in a sandbox at all, if so.
pub(crate) fn forbidden(instruction: &Instruction) -> Option<&'static str> {
    let traps = matches!(instruction.code(), Code::Int3 | Code::Ud2);
    if traps {
        return None;
    }
    if instruction.is_invalid() {
        return Some("is no instruction");
    }
    if instruction.is_privileged() || instruction.is_save_restore_instruction() {
        return Some("is privileged or saves state");
    }
    if !matches!(
        instruction.encoding(),
        EncodingKind::Legacy | EncodingKind::VEX
    ) {
        return Some("uses registers that no transfer clears");
    }
    let features = instruction.cpuid_features();
    if !features.iter().all(|feature| FEATURES.contains(feature)) {
        return Some("is of an extension that does more than compute");
    }
    if FORBIDDEN.contains(&instruction.mnemonic()) {
        return Some("reaches hidden state");
    }
    const SYSTEM_FLAGS: u32 = RflagsBits::DF | RflagsBits::IF | RflagsBits::AC | RflagsBits::UIF;
    if instruction.rflags_modified() & SYSTEM_FLAGS != 0 {
        return Some("changes a flag of the host");
    }
    let transfers = matches!(
        instruction.flow_control(),
        FlowControl::Next
            | FlowControl::UnconditionalBranch
            | FlowControl::IndirectBranch
            | FlowControl::ConditionalBranch
            | FlowControl::Return
            | FlowControl::Call
            | FlowControl::IndirectCall
    );
    let far = instruction.is_jmp_far()
        || instruction.is_call_far()
        || matches!(instruction.mnemonic(), Mnemonic::Retf | Mnemonic::Syscall);
    let vector_index = instruction.memory_index().is_vector_register();
    let registers_allowed = (0..instruction.op_count())
        .filter(|&index| instruction.op_kind(index) == OpKind::Register)
        .map(|index| instruction.op_register(index))
        .all(|register| register.is_gpr() || register.is_xmm() || register.is_ymm());
    if !transfers || far || vector_index || !registers_allowed {
        return Some("transfers control or uses registers as no graft may");
    }
    None
}

/// Works out every memory access of an instruction from the registers before it.
pub(crate) fn accesses(
    instruction: &Instruction,
    bytes: &[u8],
    registers: &user_regs_struct,
    information: &mut InstructionInfoFactory,
) -> Result<Vec<Access>, &'static str> {
    let prefixes = Prefixes::read(bytes);
    let mut found = Vec::new();
    let operand_access = information.info(instruction);
    let kinds = [0, 1, 2, 3, 4].map(|operand| operand_access.op_access(operand));
    for operand in 0..instruction.op_count() {
        let access = kinds
            .get(operand as usize)
            .copied()
            .unwrap_or(OpAccess::ReadWrite);
        let address = match instruction.op_kind(operand) {
            OpKind::Memory => explicit(instruction, prefixes, registers)?,
            OpKind::MemorySegRSI | OpKind::MemorySegESI => prefixes
                .truncate(registers.rsi)
                .wrapping_add(prefixes.segment_base(registers)),
            OpKind::MemoryESRDI | OpKind::MemoryESEDI => prefixes.truncate(registers.rdi),
            OpKind::MemorySegRDI
            | OpKind::MemorySegEDI
            | OpKind::MemorySegSI
            | OpKind::MemorySegDI
            | OpKind::MemoryESDI => return Err("a hidden pointer"),
            _ => continue,
        };
        let string = instruction.op_kind(operand) != OpKind::Memory;
        let count = prefixes.truncate(registers.rcx);
        let nothing = string && prefixes.repeated && count == 0;
        if nothing || is_address_only(instruction) {
            continue;
        }
        let size = instruction.memory_size().size() as u64;
        if size == 0 {
            return Err("an operand of unknown size");
        }
        found.push(Access {
            address,
            bytes: size,
            writes: string && matches!(operand, 0)
                || !matches!(access, OpAccess::Read | OpAccess::CondRead),
            certain: !matches!(
                access,
                OpAccess::CondRead
                    | OpAccess::CondWrite
                    | OpAccess::ReadCondWrite
                    | OpAccess::NoMemAccess
            ) && !is_hint(instruction)
                && !is_masked(instruction),
        });
    }
    found.extend(stack(instruction, prefixes, registers));
    add_known_to_disassembler(instruction, registers, information, &mut found)?;
    Ok(found)
}

fn is_address_only(instruction: &Instruction) -> bool {
    matches!(instruction.mnemonic(), Mnemonic::Lea | Mnemonic::Nop)
}

/// Instructions that use only those parts of their operand that a mask selects.
fn is_masked(instruction: &Instruction) -> bool {
    matches!(
        instruction.mnemonic(),
        Mnemonic::Vmaskmovps | Mnemonic::Vmaskmovpd | Mnemonic::Vpmaskmovd | Mnemonic::Vpmaskmovq
    )
}

fn is_hint(instruction: &Instruction) -> bool {
    matches!(
        instruction.mnemonic(),
        Mnemonic::Prefetchnta | Mnemonic::Prefetcht0 | Mnemonic::Prefetcht1 | Mnemonic::Prefetcht2
    )
}

/// The address of the operand with a ModRM byte.
fn explicit(
    instruction: &Instruction,
    prefixes: Prefixes,
    registers: &user_regs_struct,
) -> Result<u64, &'static str> {
    let part = |register: Register, registers: &user_regs_struct| match register {
        Register::None | Register::RIP | Register::EIP => Ok(0),
        register => value(register, registers).ok_or("an address from no general register"),
    };
    let mut base = part(instruction.memory_base(), registers)?;
    let pops = instruction.mnemonic() == Mnemonic::Pop;
    if pops && instruction.memory_base().full_register() == Register::RSP {
        base = base.wrapping_add(8);
    }
    let index = part(instruction.memory_index(), registers)?;
    let scale = u64::from(instruction.memory_index_scale());
    // The disassembler adds the address of the next instruction where %rip is the base.
    let displacement = instruction.memory_displacement64();
    let sum = base
        .wrapping_add(index.wrapping_mul(scale))
        .wrapping_add(displacement);
    let offset = prefixes.truncate(sum);
    let address = offset.wrapping_add(prefixes.segment_base(registers));
    Ok(address.wrapping_add(bit_string(instruction, registers)))
}

/// How far a bit offset in a register moves the operand of `bt` and its kin.
fn bit_string(instruction: &Instruction, registers: &user_regs_struct) -> u64 {
    let family = matches!(
        instruction.mnemonic(),
        Mnemonic::Bt | Mnemonic::Btc | Mnemonic::Btr | Mnemonic::Bts
    );
    if !family || instruction.op1_kind() != OpKind::Register {
        return 0;
    }
    let register = instruction.op1_register();
    let offset = value(register, registers).unwrap_or(0).cast_signed();
    let bits = i64::try_from(register.size() * 8).unwrap_or(64);
    let extended = offset << (64 - bits) >> (64 - bits);
    (extended.div_euclid(bits) * (bits / 8)).cast_unsigned()
}

/// The word of the stack that an instruction moves.
fn stack(
    instruction: &Instruction,
    prefixes: Prefixes,
    registers: &user_regs_struct,
) -> Option<Access> {
    let word = if prefixes.operand_size { 2 } else { 8 };
    let below = Access {
        address: registers.rsp.wrapping_sub(word),
        bytes: word,
        writes: true,
        certain: true,
    };
    let top = Access {
        address: registers.rsp,
        writes: false,
        ..below
    };
    match instruction.mnemonic() {
        Mnemonic::Push | Mnemonic::Call => Some(below),
        Mnemonic::Pop | Mnemonic::Ret => Some(top),
        Mnemonic::Leave => Some(Access {
            address: registers.rbp,
            ..top
        }),
        _ => None,
    }
}

/// Adds what only the disassembler knows of: it must not know more than is written down above.
fn add_known_to_disassembler(
    instruction: &Instruction,
    registers: &user_regs_struct,
    information: &mut InstructionInfoFactory,
    found: &mut Vec<Access>,
) -> Result<(), &'static str> {
    if is_address_only(instruction) {
        return Ok(());
    }
    for used in information.info(instruction).used_memory() {
        let address = used
            .virtual_address(0, |register, _, _| match register {
                Register::FS => Some(registers.fs_base),
                Register::GS => Some(registers.gs_base),
                Register::ES | Register::CS | Register::SS | Register::DS => Some(0),
                register => value(register, registers),
            })
            .ok_or("an address that the disassembler cannot tell")?;
        let known = found.iter().any(|access| access.address == address);
        let none = used.access() == OpAccess::NoMemAccess;
        // Repetition makes an access conditional; what is above has looked at the count.
        let counted = matches!(used.access(), OpAccess::CondRead | OpAccess::CondWrite)
            && instruction.is_string_instruction();
        if !known && !none && !counted {
            let writes = !matches!(used.access(), OpAccess::Read | OpAccess::CondRead);
            found.push(Access {
                address,
                bytes: (used.memory_size().size() as u64).max(1),
                writes,
                certain: false,
            });
        }
    }
    Ok(())
}
