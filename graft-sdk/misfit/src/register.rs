//! Registers by name, and sets of those that liveness follows.

/// Width of a general-purpose register name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// `%al`, `%r8b`.
    Byte,
    /// `%ah`, `%bh`, `%ch`, `%dh`: bits 8 to 15.
    HighByte,
    /// `%ax`, `%r8w`.
    Word,
    /// `%eax`, `%r8d`: a write clears the upper half of the 64-bit register.
    Double,
    /// `%rax`, `%r8`.
    Quad,
}

/// A register that an operand names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Register {
    /// A general-purpose register: its number in encodings, and the part that is named.
    General(u8, Width),
    /// `%rip`.
    InstructionPointer,
    /// `%xmm0`-`%xmm15` or `%ymm0`-`%ymm15`.
    Vector,
    /// `%st`, `%st(1)`.
    X87,
    /// `%mm0`-`%mm7`.
    Mmx,
    /// `%zmm0`, `%xmm16` and up, `%k1`.
    Avx512,
    /// Segment, control, debug and anything else.
    Other,
}

/// Encoding number of `%rcx`.
pub(crate) const RCX: u8 = 1;
/// Encoding number of `%rdx`.
pub(crate) const RDX: u8 = 2;
/// Encoding number of `%rsp`.
pub(crate) const RSP: u8 = 4;
/// Encoding number of `%rbp`.
pub(crate) const RBP: u8 = 5;
/// Encoding number of `%rsi`.
pub(crate) const RSI: u8 = 6;
/// Encoding number of `%rdi`.
pub(crate) const RDI: u8 = 7;
/// Encoding number of `%r11`, the scratch register of a return.
pub(crate) const R11: u8 = 11;

const QUAD: [&str; 16] = [
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15",
];
const DOUBLE: [&str; 16] = [
    "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d", "r11d", "r12d",
    "r13d", "r14d", "r15d",
];
const WORD: [&str; 16] = [
    "ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8w", "r9w", "r10w", "r11w", "r12w", "r13w",
    "r14w", "r15w",
];
const BYTE: [&str; 16] = [
    "al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b", "r11b", "r12b",
    "r13b", "r14b", "r15b",
];
const HIGH_BYTE: [&str; 4] = ["ah", "ch", "dh", "bh"];

/// The 64-bit name of a general-purpose register, without `%`.
pub(crate) fn quad_name(number: u8) -> &'static str {
    QUAD[usize::from(number)]
}

/// The 32-bit name of a general-purpose register, without `%`.
pub(crate) fn double_name(number: u8) -> &'static str {
    DOUBLE[usize::from(number)]
}

/// The name of a general-purpose register, or of its low part, without `%`.
pub(crate) fn name(number: u8, width: Width) -> &'static str {
    let number = usize::from(number);
    match width {
        Width::Quad => QUAD[number],
        Width::Double => DOUBLE[number],
        Width::Word => WORD[number],
        Width::Byte | Width::HighByte => BYTE[number],
    }
}

impl Register {
    /// Recognises a register by the name that follows `%`.
    pub(crate) fn from_name(name: &str) -> Option<Register> {
        if let Some(general) = general_from_name(name) {
            return Some(general);
        }
        let numbered = |prefix: &str| {
            name.strip_prefix(prefix)
                .and_then(|number| number.parse::<u8>().ok())
        };
        if let Some(number) = numbered("xmm").or_else(|| numbered("ymm")) {
            return Some(if number < 16 {
                Register::Vector
            } else {
                Register::Avx512
            });
        }
        if numbered("zmm").is_some() || numbered("k").is_some() {
            return Some(Register::Avx512);
        }
        if numbered("mm").is_some() {
            return Some(Register::Mmx);
        }
        if name == "st" || name.starts_with("st(") {
            return Some(Register::X87);
        }
        match name {
            "rip" => Some(Register::InstructionPointer),
            "eip" | "riz" | "eiz" | "cs" | "ds" | "es" | "fs" | "gs" | "ss" => {
                Some(Register::Other)
            }
            _ if numbered("cr")
                .or_else(|| numbered("db"))
                .or_else(|| numbered("dr"))
                .is_some() =>
            {
                Some(Register::Other)
            }
            _ => None,
        }
    }

    /// The number of a general-purpose register, whatever part of it is named.
    pub(crate) fn general(self) -> Option<u8> {
        match self {
            Register::General(number, _) => Some(number),
            _ => None,
        }
    }

    /// Whether this is `%rsp` or a part of it.
    pub(crate) fn is_stack_pointer(self) -> bool {
        self.general() == Some(RSP)
    }
}

fn general_from_name(name: &str) -> Option<Register> {
    // Every general-purpose name has two to four characters; vector names, the other frequent
    // kind, start with a letter that none of them starts with.
    if !(2..=4).contains(&name.len()) || matches!(name.as_bytes()[0], b'x' | b'y') {
        return None;
    }
    let tables = [(&QUAD, Width::Quad), (&DOUBLE, Width::Double)];
    for (names, width) in tables
        .into_iter()
        .chain([(&WORD, Width::Word), (&BYTE, Width::Byte)])
    {
        if let Some(number) = names.iter().position(|known| *known == name) {
            return Some(Register::General(u8::try_from(number).ok()?, width));
        }
    }
    let number = HIGH_BYTE.iter().position(|known| *known == name)?;
    Some(Register::General(
        u8::try_from(number).ok()?,
        Width::HighByte,
    ))
}

/// A set of parts of the sixteen general-purpose registers, and the flags.
///
/// The low byte of a register counts apart from the rest, because `setcc` writes nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RegisterSet(u64);

/// Where the low bytes start in a [`RegisterSet`]; the rest of each register starts at bit 0.
const LOW_BYTES: u32 = 16;
const CARRY_BIT: u32 = 32;
const STATUS_BIT: u32 = 33;

impl RegisterSet {
    pub(crate) const EMPTY: RegisterSet = RegisterSet(0);
    /// The carry flag, which `inc` and `dec` keep.
    pub(crate) const CARRY: RegisterSet = RegisterSet(1 << CARRY_BIT);
    /// The other arithmetic flags.
    pub(crate) const STATUS: RegisterSet = RegisterSet(1 << STATUS_BIT);
    pub(crate) const FLAGS: RegisterSet = RegisterSet::CARRY.union(RegisterSet::STATUS);
    pub(crate) const ALL: RegisterSet = RegisterSet((1 << (STATUS_BIT + 1)) - 1);
    /// What a call passes: six arguments, the vector count in `%al`, the static chain in `%r10`.
    pub(crate) const ARGUMENTS: RegisterSet = RegisterSet::of(&[0, 1, 2, 6, 7, 8, 9, 10]);
    /// What a callee keeps: `%rbx`, `%rsp`, `%rbp`, `%r12` to `%r15`.
    pub(crate) const PRESERVED: RegisterSet = RegisterSet::of(&[3, 4, 5, 12, 13, 14, 15]);
    /// What a return passes: `%rax` and `%rdx`.
    pub(crate) const RESULTS: RegisterSet = RegisterSet::of(&[0, 2]);

    pub(crate) const fn of(numbers: &[u8]) -> RegisterSet {
        let mut bits = 0;
        let mut at = 0;
        while at < numbers.len() {
            bits |= 1 << numbers[at] | 1 << (LOW_BYTES + numbers[at] as u32);
            at += 1;
        }
        RegisterSet(bits)
    }

    /// What reading a register needs.
    pub(crate) const fn read_of(register: Register) -> RegisterSet {
        match register {
            Register::General(number, Width::Byte) => RegisterSet(1 << (LOW_BYTES + number as u32)),
            Register::General(number, _) => RegisterSet::of(&[number]),
            _ => RegisterSet::EMPTY,
        }
    }

    /// What writing a register overwrites.
    pub(crate) const fn overwritten_by(register: Register) -> RegisterSet {
        match register {
            Register::General(number, Width::Quad | Width::Double) => RegisterSet::of(&[number]),
            Register::General(number, Width::Word | Width::Byte) => {
                RegisterSet(1 << (LOW_BYTES + number as u32))
            }
            _ => RegisterSet::EMPTY,
        }
    }

    /// Whether any part of a register is in the set.
    pub(crate) const fn contains(self, number: u8) -> bool {
        self.intersects(RegisterSet::of(&[number]))
    }

    pub(crate) const fn union(self, other: RegisterSet) -> RegisterSet {
        RegisterSet(self.0 | other.0)
    }

    pub(crate) const fn minus(self, other: RegisterSet) -> RegisterSet {
        RegisterSet(self.0 & !other.0)
    }

    pub(crate) const fn intersects(self, other: RegisterSet) -> bool {
        self.0 & other.0 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::{RSP, Register, RegisterSet, Width};

    #[test]
    fn names_are_recognised_with_their_width() {
        assert_eq!(
            Register::from_name("rsp"),
            Some(Register::General(RSP, Width::Quad))
        );
        assert_eq!(
            Register::from_name("r15d"),
            Some(Register::General(15, Width::Double))
        );
        assert_eq!(
            Register::from_name("bh"),
            Some(Register::General(3, Width::HighByte))
        );
        assert_eq!(Register::from_name("ymm15"), Some(Register::Vector));
        assert_eq!(Register::from_name("xmm16"), Some(Register::Avx512));
        assert_eq!(Register::from_name("st(3)"), Some(Register::X87));
        assert_eq!(Register::from_name("rspx"), None);
        assert_eq!(Register::from_name("é"), None);
    }

    #[test]
    fn calling_convention_sets_split_the_registers() {
        assert!(!RegisterSet::ARGUMENTS.intersects(RegisterSet::PRESERVED));
        assert!(!RegisterSet::ARGUMENTS.contains(super::R11));
        assert!(!RegisterSet::PRESERVED.contains(super::R11));
    }

    #[test]
    fn a_byte_write_overwrites_what_a_byte_read_needs() {
        let byte = Register::General(3, Width::Byte);
        let whole = Register::General(3, Width::Double);
        let overwritten = RegisterSet::overwritten_by(byte);
        assert_eq!(
            RegisterSet::read_of(byte).minus(overwritten),
            RegisterSet::EMPTY
        );
        assert_ne!(
            RegisterSet::read_of(whole).minus(overwritten),
            RegisterSet::EMPTY
        );
    }
}
