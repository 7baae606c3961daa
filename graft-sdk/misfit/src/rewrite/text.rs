//! String instructions, which reach memory through `%rsi` and `%rdi`.
//!
//! `movs` and `stos` are confined by re-basing their pointers first. `cmps` and `scas`, which gcc
//! emits for `strlen` and `memcmp` at `-O1` and `-Os`, become loops.

use super::Rewriter;
use crate::Options;
use crate::diagnostic::Refusal;
use crate::isa::TextOperation;
use crate::register::{RCX, RDI, RSI, Width, name};
use crate::source::{Instruction, Prefix};

/// Whether the options ask for confined string instructions.
pub(super) fn is_guarded(options: &Options) -> bool {
    options.reads || options.writes
}

impl<'a> Rewriter<'_, 'a> {
    pub(super) fn text_operation(
        &mut self,
        at: usize,
        instruction: &Instruction<'a>,
        operation: TextOperation,
    ) -> Result<(), Refusal> {
        let size = Size::of(instruction.mnemonic)?;
        match operation {
            TextOperation::Move | TextOperation::Store => {
                let name = if operation == TextOperation::Move {
                    "movs"
                } else {
                    "stos"
                };
                if instruction.prefix == Prefix::Repne || instruction.prefix == Prefix::Lock {
                    return Err(Refusal::new("prefix without a meaning here", "write `rep`"));
                }
                if is_guarded(self.options) {
                    self.require_dead_flags(at)?;
                    if operation == TextOperation::Move {
                        self.truncate(RSI);
                        self.rebase(RSI);
                    }
                    self.truncate(RDI);
                    self.rebase(RDI);
                }
                let prefix = instruction.prefix.text();
                self.line(format_args!("{prefix}{name}{}", size.suffix));
                Ok(())
            }
            TextOperation::Compare | TextOperation::Scan => {
                self.comparison(at, instruction.prefix, operation, size)
            }
        }
    }

    /// Writes `cmps` or `scas`, repeated or not, as ordinary instructions.
    ///
    /// With a zero count the flags say "equal" instead of what they said before; compilers set
    /// them to "equal" themselves or know that the count is not zero.
    fn comparison(
        &mut self,
        at: usize,
        prefix: Prefix,
        operation: TextOperation,
        size: Size,
    ) -> Result<(), Refusal> {
        let (done, again) = (self.new_local(), self.new_local());
        let is_repeated = prefix != Prefix::None;
        if is_repeated {
            self.line(format_args!("testq %rcx, %rcx"));
            self.line(format_args!("je {done}"));
            self.write(format_args!("{again}:"));
            self.line(format_args!("leaq -1(%rcx), %rcx"));
        }
        let Size {
            bytes,
            suffix,
            width,
        } = size;
        let open = if self.options.reads { "%gs:" } else { "" };
        let (rsi, rdi) = if self.options.reads {
            ("esi", "edi")
        } else {
            ("rsi", "rdi")
        };
        let mut left = name(0, width);
        if operation == TextOperation::Compare {
            let used = [0, RCX, RSI, RDI];
            let scratch = self.liveness.dead_after_except(at, &used).ok_or_else(|| {
                Refusal::new(
                    "no register is free for a string comparison",
                    "call memcmp instead",
                )
            })?;
            left = name(scratch, width);
            self.line(format_args!("leaq {bytes}(%rsi), %rsi"));
            self.line(format_args!("mov{suffix} {open}-{bytes}(%{rsi}), %{left}"));
        }
        self.line(format_args!("leaq {bytes}(%rdi), %rdi"));
        let compare = format!("cmp{suffix} {open}-{bytes}(%{rdi}), %{left}");
        self.line(format_args!("{compare}"));
        match prefix {
            Prefix::None => return Ok(()),
            Prefix::Lock => return Err(Refusal::new("lock on a string instruction", "remove it")),
            Prefix::Rep => {
                self.line(format_args!("jne {done}"));
                // At the end of the count everything was equal, which is what `testq` says of zero.
                self.line(format_args!("testq %rcx, %rcx"));
                self.line(format_args!("jne {again}"));
            }
            Prefix::Repne => {
                self.line(format_args!("je {done}"));
                self.line(format_args!("testq %rcx, %rcx"));
                self.line(format_args!("jne {again}"));
                self.line(format_args!("{compare}"));
            }
        }
        self.write(format_args!("{done}:"));
        Ok(())
    }
}

/// The size of one element.
#[derive(Clone, Copy)]
struct Size {
    bytes: u8,
    suffix: char,
    width: Width,
}

impl Size {
    fn of(mnemonic: &str) -> Result<Size, Refusal> {
        let size = |bytes, suffix, width| {
            Ok(Size {
                bytes,
                suffix,
                width,
            })
        };
        match mnemonic.chars().last() {
            Some('b') => size(1, 'b', Width::Byte),
            Some('w') => size(2, 'w', Width::Word),
            Some('l' | 'd') => size(4, 'l', Width::Double),
            Some('q') => size(8, 'q', Width::Quad),
            _ => Err(crate::isa::unknown(mnemonic)),
        }
    }
}
