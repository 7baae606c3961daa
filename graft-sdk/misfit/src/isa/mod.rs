//! What each instruction that misfit knows does, by AT&T mnemonic.
//!
//! The list is closed. It answers three questions: is the instruction one that compilers emit and
//! that can be made safe; is its memory operand read or written; which registers and flags does it
//! use, for [`crate::liveness`]. The last answer errs towards "used".

mod integer;
mod refused;
mod vector;

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::diagnostic::Refusal;
use crate::operand::{Operand, OperandKind, number};
use crate::register::{Register, RegisterSet};
use crate::source::Prefix;

pub(crate) use integer::split_condition;
pub(crate) use refused::unknown;

/// How an instruction is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Computes, loads or stores through its operands only.
    Plain,
    /// `lea`: an address that is not accessed.
    Address,
    /// A no-operation whose operand, if any, is not accessed.
    Nop,
    /// A hint about an address that is not accessed.
    Prefetch,
    Jump,
    /// A conditional jump.
    Branch,
    Call,
    Return,
    Push,
    Pop,
    Leave,
    /// `movs`, `stos` and so on: memory at `%rsi` and `%rdi`.
    Text(TextOperation),
    /// `ud2`, `int3`: execution ends here.
    Trap,
    /// `cld`: the direction flag is always clear.
    ClearDirection,
    /// `cpuid`, `xgetbv`: a graft's processor has no optional features.
    Identify,
}

/// The string instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextOperation {
    Move,
    Store,
    Compare,
    Scan,
}

/// What happens to the last operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// No operand is written.
    Read,
    /// The last operand is written and its old value does not matter.
    Write,
    /// The last operand is written and no operand's old value matters (`xor %eax,%eax`).
    Clear,
    /// The last operand is read and written.
    ReadWrite,
    /// Every operand is read and written (`xchg`, `xadd`).
    Exchange,
    /// The last two operands are written (`mulx`).
    WriteTwo,
}

/// What happens to the arithmetic flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flags {
    /// None changes.
    Keep,
    /// Some may change, some may stay.
    Change,
    /// All are overwritten.
    Set,
    /// All but the carry flag are overwritten, which stays.
    SetStatus,
    /// The carry flag is overwritten; of the others some may change.
    SetCarry,
}

impl Flags {
    /// The flags whose old value is gone.
    pub(crate) const fn overwritten(self) -> RegisterSet {
        match self {
            Flags::Keep | Flags::Change => RegisterSet::EMPTY,
            Flags::Set => RegisterSet::FLAGS,
            Flags::SetStatus => RegisterSet::STATUS,
            Flags::SetCarry => RegisterSet::CARRY,
        }
    }
}

/// What an instruction does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effect {
    pub(crate) kind: Kind,
    pub(crate) access: Access,
    pub(crate) flags: Flags,
    /// The flags that matter to it.
    pub(crate) flags_read: RegisterSet,
    /// Registers used without being named.
    pub(crate) uses: RegisterSet,
    /// Registers overwritten without being named.
    pub(crate) defines: RegisterSet,
}

impl Effect {
    const fn new(kind: Kind, access: Access, flags: Flags) -> Effect {
        Effect {
            kind,
            access,
            flags,
            flags_read: RegisterSet::EMPTY,
            uses: RegisterSet::EMPTY,
            defines: RegisterSet::EMPTY,
        }
    }

    const fn plain(access: Access, flags: Flags) -> Effect {
        Effect::new(Kind::Plain, access, flags)
    }

    const fn reading_flags(mut self, flags: RegisterSet) -> Effect {
        self.flags_read = flags;
        self
    }

    pub(crate) fn reads_flags(&self) -> bool {
        self.flags_read != RegisterSet::EMPTY
    }

    const fn using(mut self, uses: RegisterSet) -> Effect {
        self.uses = uses;
        self
    }

    const fn defining(mut self, defines: RegisterSet) -> Effect {
        self.defines = defines;
        self
    }
}

type Table = HashMap<String, Effect>;

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Table::new();
        vector::fill(&mut table);
        integer::fill(&mut table);
        table
    })
}

/// Looks up what an instruction does, or says why it cannot be made safe.
pub(crate) fn effect(
    mnemonic: &str,
    prefix: Prefix,
    operands: &[Operand<'_>],
) -> Result<Effect, Refusal> {
    refused::registers(operands)?;
    let effect = if let Some(effect) = text_operation(mnemonic, operands) {
        effect
    } else {
        let known = table()
            .get(mnemonic)
            .ok_or_else(|| refused::refusal(mnemonic))?;
        refine(*known, mnemonic, operands)
    };
    refused::form(mnemonic, &effect, operands)?;
    match (prefix, effect.kind) {
        (Prefix::None, _) | (_, Kind::Text(_)) => {}
        (Prefix::Lock, Kind::Plain) if is_lockable(mnemonic, operands) => {}
        // `rep ret` is how compilers once pleased a branch predictor.
        (Prefix::Rep, Kind::Return | Kind::Nop) => {}
        // `rep bsf` is `tzcnt`; gcc uses it where both give the same result.
        (Prefix::Rep, Kind::Plain) if mnemonic.starts_with("bsf") => {}
        _ => {
            return Err(Refusal::new(
                format!("prefix {}on {mnemonic}", prefix.text()),
                "remove the prefix",
            ));
        }
    }
    Ok(effect)
}

/// Whether `lock` makes a read-modify-write of memory atomic.
fn is_lockable(mnemonic: &str, operands: &[Operand<'_>]) -> bool {
    const LOCKABLE: [&str; 17] = [
        "adc", "add", "and", "btc", "btr", "bts", "cmpxchg", "dec", "inc", "neg", "not", "or",
        "sbb", "sub", "xadd", "xchg", "xor",
    ];
    let named = |name: &str| mnemonic.strip_prefix(name).is_some_and(is_size);
    let is_pair = matches!(mnemonic, "cmpxchg8b" | "cmpxchg16b");
    let mut targets = operands
        .iter()
        .rev()
        .take(if mnemonic.starts_with("xchg") { 2 } else { 1 });
    let writes_memory = targets.any(|operand| operand.memory().is_some());
    writes_memory && (is_pair || LOCKABLE.into_iter().any(named))
}

/// Whether a suffix says how wide an instruction is.
fn is_size(suffix: &str) -> bool {
    matches!(suffix, "" | "b" | "w" | "l" | "q")
}

/// Adjusts what the table says to the operands at hand.
fn refine(mut effect: Effect, mnemonic: &str, operands: &[Operand<'_>]) -> Effect {
    if mnemonic.starts_with("imul") {
        match operands.len() {
            1 => {}
            2 => {
                effect = Effect::plain(Access::ReadWrite, Flags::Set);
            }
            _ => effect = Effect::plain(Access::Write, Flags::Set),
        }
    }
    // A shift by a count of zero keeps the flags; only a constant is known not to be zero.
    let is_shift = matches!(mnemonic.get(..3), Some("shl" | "shr" | "sal" | "sar"));
    if is_shift && effect.flags == Flags::Set && operands.len() > 1 {
        let count = operands[0].immediate().and_then(number).unwrap_or(0);
        if count & 0x1f == 0 || mnemonic.starts_with("shld") || mnemonic.starts_with("shrd") {
            effect.flags = Flags::Change;
        }
    }
    if effect.access == Access::ReadWrite && ignores_old_value(mnemonic, operands) {
        effect.access = Access::Clear;
    }
    effect
}

/// Whether the result is the same whatever the register held: `xor %eax,%eax` and the like.
fn ignores_old_value(mnemonic: &str, operands: &[Operand<'_>]) -> bool {
    let [source, target] = operands else {
        return false;
    };
    let Some(target) = target.register() else {
        return false;
    };
    let is = |name: &str| mnemonic.strip_prefix(name).is_some_and(is_size);
    let constant = source.immediate().and_then(number);
    match source.register() {
        Some(source) => source == target && (is("xor") || is("sub") || is("sbb")),
        None => (is("or") && constant == Some(-1)) || (is("and") && constant == Some(0)),
    }
}

/// Recognises string instructions, which share names with vector and widening moves.
fn text_operation(mnemonic: &str, operands: &[Operand<'_>]) -> Option<Effect> {
    let operation = match mnemonic {
        "movsb" | "movsw" | "movsl" | "movsq" | "movsd" => TextOperation::Move,
        "stosb" | "stosw" | "stosl" | "stosq" | "stosd" => TextOperation::Store,
        "cmpsb" | "cmpsw" | "cmpsl" | "cmpsq" | "cmpsd" => TextOperation::Compare,
        "scasb" | "scasw" | "scasl" | "scasq" | "scasd" => TextOperation::Scan,
        _ => return None,
    };
    let is_implied = |operand: &Operand<'_>| match operand.kind {
        OperandKind::Memory(memory) => {
            let base = memory.base.and_then(Register::general);
            memory.displacement.is_empty() && matches!(base, Some(6 | 7))
        }
        OperandKind::Register(register) => register.general() == Some(0),
        OperandKind::Immediate(_) => false,
    };
    if !operands.iter().all(is_implied) || operands.len() == 1 {
        return None;
    }
    let flags = match operation {
        TextOperation::Move | TextOperation::Store => Flags::Keep,
        // With a zero count the instruction keeps them, but its safe form does not.
        TextOperation::Compare | TextOperation::Scan => Flags::Set,
    };
    // `%rax`, `%rcx`, `%rsi`, `%rdi`: more than each of them uses, which only costs precision.
    let uses = RegisterSet::of(&[0, 1, 6, 7]);
    Some(Effect::new(Kind::Text(operation), Access::Read, flags).using(uses))
}

#[cfg(test)]
mod tests {
    use super::{Access, Flags, Kind, TextOperation, effect};
    use crate::operand::Operand;
    use crate::register::RegisterSet;
    use crate::source::Prefix;

    fn of(mnemonic: &str, operands: &[&str]) -> super::Effect {
        let operands: Vec<_> = operands
            .iter()
            .map(|text| Operand::parse(text).expect("parses"))
            .collect();
        effect(mnemonic, Prefix::None, &operands).expect("known")
    }

    #[test]
    fn names_shared_with_string_instructions_are_told_apart() {
        assert_eq!(of("movsd", &["(%rdi)", "%xmm0"]).kind, Kind::Plain);
        assert_eq!(of("movsd", &[]).kind, Kind::Text(TextOperation::Move));
        assert_eq!(
            of("movsl", &["(%rsi)", "%es:(%rdi)"]).kind,
            Kind::Text(TextOperation::Move)
        );
        assert_eq!(
            of("stosq", &["%rax", "%es:(%rdi)"]).kind,
            Kind::Text(TextOperation::Store)
        );
        assert_eq!(of("cmpsd", &["$1", "%xmm1", "%xmm0"]).kind, Kind::Plain);
    }

    #[test]
    fn flags_survive_a_shift_by_an_unknown_count() {
        assert_eq!(of("shll", &["%cl", "%eax"]).flags, Flags::Change);
        assert_eq!(of("shll", &["$3", "%eax"]).flags, Flags::Set);
        assert_eq!(of("shll", &["%eax"]).flags, Flags::Set);
    }

    #[test]
    fn the_carry_flag_is_apart() {
        assert_eq!(of("incl", &["%eax"]).flags, Flags::SetStatus);
        assert_eq!(of("btl", &["%ecx", "%eax"]).flags, Flags::SetCarry);
        assert_eq!(of("jb", &[".L1"]).flags_read, RegisterSet::CARRY);
        assert_eq!(of("setne", &["%al"]).flags_read, RegisterSet::STATUS);
        assert_eq!(
            of("cmovbeq", &["%rcx", "%rax"]).flags_read,
            RegisterSet::FLAGS
        );
        assert_eq!(of("sbbl", &["$0", "%eax"]).flags_read, RegisterSet::CARRY);
    }

    #[test]
    fn multiplication_has_three_shapes() {
        assert!(of("imulq", &["%rsi"]).uses.contains(0));
        assert_eq!(of("imulq", &["%rsi", "%rax"]).access, Access::ReadWrite);
        assert_eq!(of("imulq", &["$3", "%rsi", "%rax"]).access, Access::Write);
        assert_eq!(of("xorl", &["%eax", "%eax"]).access, Access::Clear);
    }
}
