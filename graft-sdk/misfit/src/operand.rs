//! Operands of AT&T instructions.

use crate::diagnostic::Refusal;
use crate::register::{RSP, Register, Width, double_name};

/// An operand, with the text it was written as.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operand<'a> {
    pub(crate) text: &'a str,
    pub(crate) kind: OperandKind<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum OperandKind<'a> {
    Register(Register),
    /// The expression after `$`.
    Immediate(&'a str),
    /// A memory operand, or the target of a direct branch, which is written the same way.
    Memory(Memory<'a>),
}

/// `segment:displacement(base,index,scale)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory<'a> {
    pub(crate) segment: Option<&'a str>,
    pub(crate) displacement: &'a str,
    pub(crate) base: Option<Register>,
    pub(crate) index: Option<Register>,
    pub(crate) scale: &'a str,
}

const SYNTAX: &str = "give misfit AT&T assembly as gcc -S, clang -S or rustc --emit asm print it";

impl<'a> Operand<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Operand<'a>, Refusal> {
        let kind = if let Some(expression) = text.strip_prefix('$') {
            OperandKind::Immediate(expression.trim())
        } else if let Some(name) = text.strip_prefix('%')
            && !name.contains(':')
        {
            OperandKind::Register(register(name)?)
        } else {
            OperandKind::Memory(Memory::parse(text)?)
        };
        Ok(Operand { text, kind })
    }

    pub(crate) fn register(&self) -> Option<Register> {
        match self.kind {
            OperandKind::Register(register) => Some(register),
            _ => None,
        }
    }

    pub(crate) fn memory(&self) -> Option<&Memory<'a>> {
        match &self.kind {
            OperandKind::Memory(memory) => Some(memory),
            _ => None,
        }
    }

    pub(crate) fn immediate(&self) -> Option<&'a str> {
        match self.kind {
            OperandKind::Immediate(expression) => Some(expression),
            _ => None,
        }
    }
}

fn register(name: &str) -> Result<Register, Refusal> {
    let name = name.trim();
    if name.contains('{') {
        return Err(Refusal::new("AVX-512 masking", "compile with -mno-avx512f"));
    }
    Register::from_name(name)
        .ok_or_else(|| Refusal::new(format!("unknown register %{name}"), SYNTAX))
}

impl<'a> Memory<'a> {
    fn parse(text: &'a str) -> Result<Memory<'a>, Refusal> {
        let mut rest = text;
        let mut segment = None;
        if let Some((name, address)) = text.strip_prefix('%').and_then(|t| t.split_once(':')) {
            segment = Some(name.trim());
            rest = address.trim_start();
        }
        if rest.ends_with('}') {
            return Err(Refusal::new("AVX-512 masking", "compile with -mno-avx512f"));
        }
        let mut memory = Memory {
            segment,
            displacement: rest,
            base: None,
            index: None,
            scale: "",
        };
        let Some(open) = address_part(rest) else {
            return Ok(memory);
        };
        memory.displacement = rest[..open].trim();
        let mut parts = rest[open + 1..rest.len() - 1].split(',').map(str::trim);
        memory.base = address_register(parts.next())?;
        memory.index = address_register(parts.next())?;
        memory.scale = parts.next().unwrap_or("");
        if parts.next().is_some() || !matches!(memory.scale, "" | "1" | "2" | "4" | "8") {
            return Err(Refusal::new("malformed address", SYNTAX));
        }
        Ok(memory)
    }

    /// Whether the address is a symbol's or a number, with no register at all.
    pub(crate) fn is_absolute(&self) -> bool {
        self.base.is_none() && self.index.is_none()
    }

    /// Whether the address is `symbol(%rip)`.
    pub(crate) fn is_rip_relative(&self) -> bool {
        self.base == Some(Register::InstructionPointer)
    }

    /// Whether the address is `displacement(%rsp)`, which stays as it is.
    pub(crate) fn is_plain_stack(&self) -> bool {
        self.base == Some(Register::General(RSP, Width::Quad)) && self.index.is_none()
    }

    /// Whether the address depends on `%rsp` in any way.
    pub(crate) fn uses_stack_pointer(&self) -> bool {
        [self.base, self.index]
            .into_iter()
            .flatten()
            .any(Register::is_stack_pointer)
    }

    /// The symbol of `*symbol@GOTPCREL(%rip)`, the indirection of `-fno-plt`.
    pub(crate) fn global_offset_symbol(&self) -> Option<&'a str> {
        self.is_rip_relative()
            .then(|| self.displacement.strip_suffix("@GOTPCREL"))?
    }

    /// The number that the displacement is, if it is a plain number.
    pub(crate) fn displacement_value(&self) -> Option<i64> {
        if self.displacement.is_empty() {
            Some(0)
        } else {
            number(self.displacement)
        }
    }

    /// Writes the address the sandboxed way: 32-bit registers, relative to `%gs`.
    pub(crate) fn sandboxed(&self) -> Result<String, Refusal> {
        let part = |register: Option<Register>| match register {
            None => Ok(""),
            Some(Register::General(number, Width::Quad | Width::Double)) => Ok(double_name(number)),
            Some(_) => Err(Refusal::new("address with an unexpected register", SYNTAX)),
        };
        let (base, index) = (part(self.base)?, part(self.index)?);
        let displacement = self.displacement;
        let percent = if base.is_empty() { "" } else { "%" };
        Ok(if !index.is_empty() {
            let scale = if self.scale.is_empty() {
                "1"
            } else {
                self.scale
            };
            format!("%gs:{displacement}({percent}{base},%{index},{scale})")
        } else if base.is_empty() {
            format!("%gs:{displacement}")
        } else {
            format!("%gs:{displacement}(%{base})")
        })
    }
}

/// Finds the `(` of a trailing `(base,index,scale)`.
fn address_part(text: &str) -> Option<usize> {
    if !text.ends_with(')') {
        return None;
    }
    let open = text.rfind('(')?;
    let inner = text[open + 1..].trim_start();
    (inner.starts_with('%') || inner.starts_with(',')).then_some(open)
}

fn address_register(name: Option<&str>) -> Result<Option<Register>, Refusal> {
    match name {
        None | Some("") => Ok(None),
        Some(name) => {
            let name = name
                .strip_prefix('%')
                .ok_or_else(|| Refusal::new("malformed address", SYNTAX))?;
            register(name).map(Some)
        }
    }
}

/// Reads a plain decimal or hexadecimal number, with an optional sign.
pub(crate) fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let magnitude = match digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"))
    {
        // Compilers print 64-bit masks as unsigned hexadecimal.
        Some(hexadecimal) => u64::from_str_radix(hexadecimal, 16).ok()?.cast_signed(),
        None if digits.len() > 1 && digits.starts_with('0') => {
            i64::from_str_radix(digits, 8).ok()?
        }
        None => digits.parse::<u64>().ok()?.cast_signed(),
    };
    Some(if negative {
        magnitude.wrapping_neg()
    } else {
        magnitude
    })
}

#[cfg(test)]
mod tests {
    use super::{Operand, number};

    fn sandboxed(text: &str) -> String {
        let operand = Operand::parse(text).expect("parses");
        operand
            .memory()
            .expect("is memory")
            .sandboxed()
            .expect("has a sandboxed form")
    }

    #[test]
    fn addresses_become_gs_relative() {
        assert_eq!(sandboxed("-8(%rax)"), "%gs:-8(%eax)");
        assert_eq!(sandboxed("(%r8,%r9,4)"), "%gs:(%r8d,%r9d,4)");
        assert_eq!(sandboxed("16(,%rcx,8)"), "%gs:16(,%ecx,8)");
        assert_eq!(sandboxed("(%rsp,%rax)"), "%gs:(%esp,%eax,1)");
        assert_eq!(sandboxed("0"), "%gs:0");
    }

    #[test]
    fn malformed_operands_are_refused() {
        for text in [
            "8(%rax,%rbx,3)",
            "8(%rax,%rbx,1,2)",
            "%foo",
            "8(%foo)",
            "(%rax){%k1}",
        ] {
            assert!(Operand::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_read_as_the_assembler_reads_them() {
        assert_eq!(number("-128"), Some(-128));
        assert_eq!(number("0xffffffffffffffe0"), Some(-32));
        assert_eq!(number("010"), Some(8));
        assert_eq!(number("foo"), None);
        assert_eq!(number("4+4"), None);
    }
}
