//! What misfit refuses, and what it advises instead.

use super::{Effect, Kind};
use crate::diagnostic::Refusal;
use crate::directive::no_thread_locals;
use crate::operand::{Memory, Operand, OperandKind};
use crate::register::Register;
use crate::source::symbols;

/// Reason and advice for instructions that are refused by name; a `*` ends a prefix.
const NAMED: &[(&str, &str, &str)] = &[
    (
        "syscall sysenter int into iret* sysret* sysexit* vmcall vmmcall",
        "a graft makes no system calls",
        "call a GRAFT_CALLABLE function instead",
    ),
    (
        "rdtsc rdtscp rdpmc rdpru rdrand* rdseed* rdpid* sgdt* sidt* str* smsw* sldt*",
        "the result depends on the machine or the moment, so a run could not be replayed",
        "pass the value to the graft as an argument",
    ),
    (
        "ldmxcsr stmxcsr vldmxcsr vstmxcsr std pushf* popf* lahf sahf stac clac",
        "processor state that the host relies on",
        "remove it: rounding mode, direction and status flags are fixed in a graft",
    ),
    (
        "rcpss rcpps rsqrtss rsqrtps vrcpss vrcpps vrsqrtss vrsqrtps",
        "the result differs between processor makers, so a run could not be replayed",
        "compile without -ffast-math, or with -mno-recip",
    ),
    (
        "emms femms",
        "MMX state leaks into the host",
        "compile with -mno-mmx",
    ),
    (
        "enter enterq loop* jcxz jecxz jrcxz xlat* xbegin* xend xabort* maskmovdqu vmaskmovdqu",
        "compilers do not emit it, and no safe form is known",
        "rewrite the inline assembly in C",
    ),
    (
        "vgather* vpgather* vscatter* vpscatter*",
        "a gather computes addresses that cannot be confined",
        "compile with -mno-avx2, or for clang with -mtune=generic",
    ),
    (
        "lods* ins insb insw insl outs*",
        "string instruction without a safe form",
        "write a loop",
    ),
    (
        "hlt in inb inw inl out outb outw outl cli sti wrmsr rdmsr invlpg wbinvd swapgs wrgsbase* \
         wrfsbase* rdgsbase* rdfsbase* xsave* xrstor* fxsave* fxrstor* clflush* clwb wrpkru rdpkru \
         monitor* mwait* xsetbv lgdt* lidt* ltr* lldt* lmsw*",
        "privileged or machine-control instruction",
        "remove it",
    ),
];

/// How the names of x87 instructions start.
const X87: &[&str] = &[
    "f2xm1", "fabs", "fadd", "fb", "fc", "fdec", "fdiv", "ffree", "fi", "fld", "fmul", "fn",
    "fpatan", "fprem", "fptan", "frnd", "frstor", "fs", "ftst", "fucom", "fwait", "fx", "fyl",
];

/// The refusal of an instruction that the table does not know.
pub(super) fn refusal(mnemonic: &str) -> Refusal {
    for (names, message, advice) in NAMED {
        let mut names = names.split_ascii_whitespace();
        if names.any(|name| match name.strip_suffix('*') {
            Some(prefix) => mnemonic.starts_with(prefix),
            None => mnemonic == name,
        }) {
            return Refusal::new(*message, *advice);
        }
    }
    if X87.iter().any(|prefix| mnemonic.starts_with(prefix)) {
        return x87();
    }
    if mnemonic.starts_with('{') {
        return Refusal::new(
            "explicit encoding",
            "remove the {...} before the instruction",
        );
    }
    unknown(mnemonic)
}

/// The refusal of an instruction that misfit has never heard of.
pub(crate) fn unknown(mnemonic: &str) -> Refusal {
    Refusal::new(
        format!("instruction {mnemonic} is not known to be safe"),
        "compile for a baseline such as -march=x86-64-v3, or rewrite the inline assembly in C",
    )
}

fn x87() -> Refusal {
    Refusal::new(
        "x87 state leaks into the host",
        "use double instead of long double",
    )
}

/// Refuses operands that no safe instruction has.
pub(super) fn registers(operands: &[Operand<'_>]) -> Result<(), Refusal> {
    for operand in operands {
        match operand.kind {
            OperandKind::Register(Register::X87) => return Err(x87()),
            OperandKind::Register(Register::Mmx) => {
                return Err(Refusal::new(
                    "MMX state leaks into the host",
                    "compile with -mno-mmx",
                ));
            }
            OperandKind::Register(Register::Avx512) => {
                return Err(Refusal::new(
                    "AVX-512 register",
                    "compile with -mno-avx512f",
                ));
            }
            OperandKind::Register(Register::Other | Register::InstructionPointer) => {
                return Err(Refusal::new(
                    "segment, control or debug register",
                    "rewrite the inline assembly in C",
                ));
            }
            OperandKind::Memory(memory) => segment(&memory)?,
            OperandKind::Register(_) | OperandKind::Immediate(_) => {}
        }
    }
    Ok(())
}

fn segment(memory: &Memory<'_>) -> Result<(), Refusal> {
    match memory.segment {
        Some("fs") if memory.displacement == "40" || memory.displacement == "0x28" => {
            Err(Refusal::new(
                "stack protector canary",
                "compile with -fno-stack-protector",
            ))
        }
        Some("fs") => Err(no_thread_locals()),
        Some("gs") => Err(Refusal::new(
            "%gs override: already instrumented, or thread-local storage",
            "give misfit the output of the compiler, once",
        )),
        _ => Ok(()),
    }
}

/// Refuses forms of known instructions that cannot be made safe, whatever the options.
pub(super) fn form(
    mnemonic: &str,
    effect: &Effect,
    operands: &[Operand<'_>],
) -> Result<(), Refusal> {
    if matches!(effect.kind, Kind::Text(_)) {
        return Ok(());
    }
    let is_transfer = matches!(effect.kind, Kind::Jump | Kind::Branch | Kind::Call);
    for operand in operands {
        match operand.kind {
            OperandKind::Memory(memory) => {
                thread_local(memory.displacement)?;
                if memory.segment.is_some() {
                    return Err(Refusal::new("segment override", "remove it"));
                }
                if !memory.is_rip_relative() && !is_transfer {
                    absolute(memory.displacement, &memory)?;
                }
            }
            OperandKind::Immediate(expression) => {
                if symbols(expression).next().is_some() {
                    return Err(Refusal::new(
                        "an address as an immediate cannot be relocated",
                        "compile with -fPIC",
                    ));
                }
            }
            OperandKind::Register(_) => {}
        }
    }
    let has_memory = operands.iter().any(|operand| operand.memory().is_some());
    if has_memory && mnemonic.starts_with("movabs") {
        return Err(Refusal::new(
            "64-bit absolute address",
            "compile with -fPIC",
        ));
    }
    let offset = operands.first().and_then(Operand::register);
    if mnemonic.starts_with("bt") && has_memory && offset.is_some() {
        return Err(Refusal::new(
            "a bit offset in a register reaches far beyond its memory operand",
            "select the word first, or compile this function with -O1",
        ));
    }
    if effect.kind == Kind::Return && !operands.is_empty() {
        return Err(Refusal::new(
            "return that pops arguments",
            "use the System V convention",
        ));
    }
    Ok(())
}

fn absolute(displacement: &str, memory: &Memory<'_>) -> Result<(), Refusal> {
    if symbols(displacement).next().is_some() {
        return Err(Refusal::new(
            "absolute address of a symbol",
            "compile with -fPIC",
        ));
    }
    if memory.is_absolute() && memory.displacement_value().is_none_or(|at| at < 0) {
        return Err(Refusal::new(
            "access at a fixed address outside the sandbox",
            "reach memory through a pointer that the kernel passed",
        ));
    }
    Ok(())
}

fn thread_local(displacement: &str) -> Result<(), Refusal> {
    let Some((_, modifier)) = displacement.split_once('@') else {
        return Ok(());
    };
    let modifier = modifier.to_ascii_uppercase();
    let modifier = modifier
        .split(|c: char| !c.is_ascii_alphanumeric())
        .next()
        .unwrap_or("");
    match modifier {
        "PLT" | "GOTPCREL" => Ok(()),
        "GOT" | "GOTOFF" | "PLTOFF" | "GOTPLT" => Err(Refusal::new(
            "relocation of the large code model",
            "compile without -mcmodel=large or medium",
        )),
        _ => Err(no_thread_locals()),
    }
}
