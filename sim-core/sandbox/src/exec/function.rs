//! Functions of a graft with the types that their author gave them.
//!
//! A graft's types are claims as well: what a function takes and returns is for the embedder to
//! say, and a wrong claim gives a wrong number, never harm. What the types add over
//! [`Instance::call`] is that arguments cannot be forgotten or swapped with those of another width.

use std::fmt;
use std::marker::PhantomData;

use super::address::SandboxAddr;
use super::call;
use super::entry::ARGUMENTS_MAX;
use super::fault::GraftFault;
use super::host::{GraftMemory, Host};
use super::instance::{Entry, Instance};

/// A type that fits a register of the C calling convention.
///
/// Pointers are [`SandboxAddr`]; of a narrow type only the low bits of a register count.
pub trait RegisterValue: Copy {
    /// Spells the value for a graft whose sandbox starts at `base`.
    fn into_register(self, base: u64) -> u64;

    /// Takes the value from a register that a graft filled.
    fn from_register(register: u64) -> Self;
}

macro_rules! integers {
    ($($type:ty as $wide:ty),*) => {$(
        impl RegisterValue for $type {
            #[inline(always)]
            fn into_register(self, _base: u64) -> u64 {
                <$wide>::from(self) as u64
            }

            #[inline(always)]
            fn from_register(register: u64) -> Self {
                register as Self
            }
        }
    )*};
}

#[expect(
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    reason = "a register holds the low bits, extended as the type is"
)]
mod integers {
    use super::RegisterValue;

    integers!(u8 as u64, u16 as u64, u32 as u64, u64 as u64);
    integers!(i8 as i64, i16 as i64, i32 as i64, i64 as i64);
}

impl RegisterValue for bool {
    #[inline(always)]
    fn into_register(self, _base: u64) -> u64 {
        self.into()
    }

    /// Only the low byte of a C `bool` counts.
    #[inline(always)]
    fn from_register(register: u64) -> Self {
        register.to_le_bytes()[0] != 0
    }
}

impl RegisterValue for SandboxAddr {
    #[inline(always)]
    fn into_register(self, base: u64) -> u64 {
        base + u64::from(self.offset())
    }

    #[inline(always)]
    fn from_register(register: u64) -> Self {
        Self::of_pointer(register)
    }
}

/// What a graft's function returns: a [`RegisterValue`], or `()` for nothing.
pub trait ReturnValue {
    /// Takes the result from the register that a graft filled.
    fn from_register(register: u64) -> Self;
}

impl<T: RegisterValue> ReturnValue for T {
    #[inline(always)]
    fn from_register(register: u64) -> Self {
        T::from_register(register)
    }
}

impl ReturnValue for () {
    #[inline(always)]
    fn from_register(_register: u64) -> Self {}
}

/// What a graft's function takes: a tuple of at most six [`RegisterValue`]s.
pub trait Arguments {
    /// Spells the arguments for a graft whose sandbox starts at `base`; zero where there is none.
    fn into_registers(self, base: u64) -> [u64; ARGUMENTS_MAX];
}

macro_rules! arguments {
    ($($name:ident)*) => {
        impl<$($name: RegisterValue),*> Arguments for ($($name,)*) {
            #[inline(always)]
            #[expect(non_snake_case, reason = "a type and its value share a name in this macro")]
            fn into_registers(self, base: u64) -> [u64; ARGUMENTS_MAX] {
                let ($($name,)*) = self;
                let mut registers = [0; ARGUMENTS_MAX];
                let given = [$($name.into_register(base)),*];
                registers[..given.len()].copy_from_slice(&given);
                registers
            }
        }
    };
}

impl Arguments for () {
    #[inline(always)]
    fn into_registers(self, _base: u64) -> [u64; ARGUMENTS_MAX] {
        [0; ARGUMENTS_MAX]
    }
}

arguments!(A);
arguments!(A B);
arguments!(A B C);
arguments!(A B C D);
arguments!(A B C D E);
arguments!(A B C D E F);

/// A function of an image, with the types that the embedder says it has.
///
/// It works on every instance of its image, and costs what [`Instance::call`] does.
pub struct Function<A, R> {
    entry: Entry,
    types: PhantomData<fn(A) -> R>,
}

// Not derived: a function is copied whatever its types are.
impl<A, R> Clone for Function<A, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A, R> Copy for Function<A, R> {}

impl<A, R> fmt::Debug for Function<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Function").field(&self.entry).finish()
    }
}

impl<A: Arguments, R: ReturnValue> Function<A, R> {
    /// Calls the function, as [`Instance::call`] does.
    ///
    /// # Errors
    ///
    /// The graft trapped, missed its deadline, or was aborted by a host function.
    ///
    /// # Panics
    ///
    /// As [`Instance::call`]; a wrong number of arguments cannot be written.
    #[inline(always)]
    pub fn call<H: Host>(
        &self,
        instance: &mut Instance,
        args: A,
        host: &mut H,
    ) -> Result<R, GraftFault> {
        let core = instance.core_mut();
        let registers = args.into_registers(core.base());
        call::call_fresh(core, self.entry, &registers, host).map(R::from_register)
    }

    /// Calls the function of a graft that waits for a host function, on the rest of its stack.
    ///
    /// # Errors
    ///
    /// As [`GraftMemory::call_back`].
    ///
    /// # Panics
    ///
    /// As [`Instance::call`].
    pub fn call_back<H: Host>(
        &self,
        memory: &mut GraftMemory<'_>,
        args: A,
        host: &mut H,
    ) -> Result<R, GraftFault> {
        let registers = args.into_registers(memory.base());
        memory
            .call_back(self.entry, &registers, host)
            .map(R::from_register)
    }
}

impl Instance {
    /// Finds a global function of the image, of which the embedder knows the types.
    ///
    /// # Errors
    ///
    /// The image defines no such function; the error names the nearest that it does define.
    pub fn function<A: Arguments, R: ReturnValue>(
        &self,
        name: &str,
    ) -> Result<Function<A, R>, NoSuchFunction> {
        let entry = self.entry(name).ok_or_else(|| NoSuchFunction {
            name: name.to_owned(),
            nearest: nearest(name, self.image().entries().map(|(known, _)| known)),
        })?;
        Ok(Function {
            entry,
            types: PhantomData,
        })
    }
}

/// An image has no global function of a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the image defines no function {name}{}", suggestion(.nearest.as_deref()))]
pub struct NoSuchFunction {
    /// The name that was looked up.
    pub name: String,
    /// The function whose name needs the fewest changes; `None` if the image defines none.
    pub nearest: Option<String>,
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(
        || " nor any other: are its functions static?".to_owned(),
        |nearest| format!("; the nearest is {nearest}"),
    )
}

/// How many functions are compared with a name that was not found.
const COMPARED_MAX: usize = 1000;

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let nearest = known
        .take(COMPARED_MAX)
        .min_by_key(|other| edit_distance(name, other))?;
    Some(nearest.to_owned())
}

/// The bytes of a name that are compared.
const NAME_BYTES_MAX: usize = 64;

/// Counts the bytes to insert, remove or replace between the starts of two names.
fn edit_distance(one: &str, other: &str) -> usize {
    let start = |name: &str| name.bytes().take(NAME_BYTES_MAX).collect::<Vec<u8>>();
    strsim::generic_levenshtein(&start(one), &start(other))
}

#[cfg(test)]
mod tests {
    use super::{RegisterValue, ReturnValue, SandboxAddr, edit_distance};

    #[test]
    fn a_name_with_a_typing_error_is_near() {
        assert_eq!(edit_distance("filter", "fliter"), 2);
        assert_eq!(edit_distance("filter", "filter_row"), 4);
        assert_eq!(edit_distance("", "abc"), 3);
    }

    #[test]
    fn narrow_values_are_extended_as_c_does_and_cut_as_they_return() {
        assert_eq!((-1_i32).into_register(0), u64::MAX);
        assert_eq!(u32::MAX.into_register(0), 0xffff_ffff);
        assert_eq!(<i32 as ReturnValue>::from_register(0x1_ffff_fffe), -2);
        assert_eq!(<u8 as ReturnValue>::from_register(0x1ff), 0xff);
        assert!(!<bool as ReturnValue>::from_register(0x100));
        let addr = SandboxAddr::of_pointer(0x20);
        assert_eq!(addr.into_register(7 << 32), 7 << 32 | 0x20);
    }
}
