//! Host functions made of typed closures, registered by name.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use vino_abi::IMPORTS_MAX;

use super::address::{GraftSlice, SandboxAddr};
use super::fault::GraftFault;
use super::function::{Arguments, Function, RegisterValue, ReturnValue};
use super::host::{GraftMemory, Host, HostAbort};

/// The code with which [`Caller`] aborts a graft whose pointer was not good.
pub const ABORT_BAD_POINTER: HostAbort = HostAbort(u32::MAX - 1);

type Registered<T> =
    Box<dyn Fn(&mut Caller<'_, '_, T>, &[u64; 6]) -> Result<u64, HostAbort> + Send + Sync>;

/// The functions that a program offers to grafts, each by the name that a graft imports.
///
/// `T` is what the functions work on: the embedder lends one to each call with
/// [`HostFunctions::host`]. A set may serve several threads at once, each with a `T` of its own.
///
/// ```
/// use vino_sandbox::{Caller, HostAbort, HostFunctions, SandboxAddr};
///
/// let mut functions = HostFunctions::<Vec<String>>::new();
/// functions.define("note", |caller: &mut Caller<'_, '_, Vec<String>>, at: SandboxAddr, n: u32| {
///     let text = caller.read_bytes(at, n.min(80))?;
///     caller.state.push(String::from_utf8_lossy(&text).into_owned());
///     Ok(())
/// })?;
/// # Ok::<(), vino_sandbox::DefineError>(())
/// ```
pub struct HostFunctions<T> {
    indices: HashMap<String, u32>,
    functions: Vec<Registered<T>>,
}

impl<T> fmt::Debug for HostFunctions<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostFunctions")
            .field("indices", &self.indices)
            .finish_non_exhaustive()
    }
}

impl<T> Default for HostFunctions<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// A host function could not be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefineError {
    /// The name is taken.
    #[error("host function {name} is defined twice")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// A graft can import no more.
    #[error("host function {name} is one too many: a graft may import {IMPORTS_MAX}")]
    TooMany {
        /// The name of the first that does not fit.
        name: String,
    },
}

impl<T> HostFunctions<T> {
    /// Makes an empty set.
    #[must_use]
    pub fn new() -> Self {
        Self {
            indices: HashMap::new(),
            functions: Vec::new(),
        }
    }

    /// Offers a closure of [`Caller`] and at most six [`RegisterValue`]s under a name.
    ///
    /// # Errors
    ///
    /// The name is taken, or there are as many functions as a graft may import.
    pub fn define<P, F: IntoHostFunction<T, P>>(
        &mut self,
        name: &str,
        function: F,
    ) -> Result<(), DefineError> {
        let name = name.to_owned();
        if self.indices.contains_key(&name) {
            return Err(DefineError::Duplicate { name });
        }
        let next = u32::try_from(self.functions.len()).unwrap_or(u32::MAX);
        if next >= IMPORTS_MAX {
            return Err(DefineError::TooMany { name });
        }
        self.indices.insert(name, next);
        self.functions.push(function.into_host_function());
        Ok(())
    }

    /// Offers `void *vino_heap_grow(size_t bytes)`, on which the SDK's `malloc` stands.
    ///
    /// It gives what the instance's configuration allows, and then null.
    ///
    /// # Errors
    ///
    /// As [`HostFunctions::define`].
    pub fn define_heap(&mut self) -> Result<(), DefineError> {
        self.define(
            "vino_heap_grow",
            |caller: &mut Caller<'_, '_, T>, bytes: u64| {
                let grown = u32::try_from(bytes)
                    .ok()
                    .and_then(|bytes| caller.memory.grow_heap(bytes));
                Ok(grown.map_or(0, |addr| addr.into_register(caller.memory.base())))
            },
        )
    }

    /// Returns the index of a name, for [`DecodedImage::link`](crate::DecodedImage::link).
    #[must_use]
    pub fn resolve(&self, name: &str) -> Option<u32> {
        self.indices.get(name).copied()
    }

    /// Lends a state to the functions for one call.
    pub fn host<'a>(&'a self, state: &'a mut T) -> impl Host + use<'a, T> {
        Bound {
            functions: self,
            state,
        }
    }
}

struct Bound<'a, T> {
    functions: &'a HostFunctions<T>,
    state: &'a mut T,
}

impl<T> Host for Bound<'_, T> {
    #[inline]
    fn call(
        &mut self,
        memory: &mut GraftMemory<'_>,
        import: u32,
        args: &[u64; 6],
    ) -> Result<u64, HostAbort> {
        // Grafts that were linked with another set have other indices.
        let function = self.functions.functions.get(import as usize);
        let function = function.ok_or(super::NoHost::ABORT)?;
        let mut caller = Caller {
            functions: self.functions,
            state: self.state,
            memory,
        };
        function(&mut caller, args)
    }
}

/// The graft that waits for a host function, and what the function works on.
pub struct Caller<'a, 'm, T> {
    functions: &'a HostFunctions<T>,
    /// What the embedder lent to [`HostFunctions::host`].
    pub state: &'a mut T,
    /// The graft's memory.
    pub memory: &'a mut GraftMemory<'m>,
}

impl<T> fmt::Debug for Caller<'_, '_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("memory", &self.memory)
            .finish_non_exhaustive()
    }
}

impl<T> Caller<'_, '_, T> {
    /// Copies `len` bytes that the graft claims to own at `addr`.
    ///
    /// Bound `len` first: it is the graft's number, and that much is allocated.
    ///
    /// # Errors
    ///
    /// [`ABORT_BAD_POINTER`]: part of the range is not the graft's.
    pub fn read_bytes(&self, addr: SandboxAddr, len: u32) -> Result<Vec<u8>, HostAbort> {
        let slice = claim(addr, len)?;
        // Not allocated for a claim that reaches outside what is mapped.
        if !self.memory.covers(slice) {
            return Err(ABORT_BAD_POINTER);
        }
        let mut bytes = vec![0; len as usize];
        let read = self.memory.read(slice, &mut bytes);
        read.map(|()| bytes).or(Err(ABORT_BAD_POINTER))
    }

    /// Copies bytes into memory that the graft claims to own.
    ///
    /// # Errors
    ///
    /// [`ABORT_BAD_POINTER`]: part of the range is not the graft's, or read-only.
    pub fn write_bytes(&mut self, addr: SandboxAddr, bytes: &[u8]) -> Result<(), HostAbort> {
        let len = u32::try_from(bytes.len()).or(Err(ABORT_BAD_POINTER))?;
        let written = self.memory.write(claim(addr, len)?, bytes);
        written.or(Err(ABORT_BAD_POINTER))
    }

    /// Calls the waiting graft back, which may call the same host functions.
    ///
    /// # Errors
    ///
    /// As [`GraftMemory::call_back`].
    pub fn call_back<A: Arguments, R: ReturnValue>(
        &mut self,
        function: Function<A, R>,
        args: A,
    ) -> Result<R, GraftFault> {
        let mut host = Bound {
            functions: self.functions,
            state: self.state,
        };
        function.call_back(self.memory, args, &mut host)
    }
}

fn claim(addr: SandboxAddr, len: u32) -> Result<GraftSlice, HostAbort> {
    GraftSlice::claim(addr.offset().into(), len.into()).ok_or(ABORT_BAD_POINTER)
}

/// A closure that can be a host function; `P` stands for its parameters.
pub trait IntoHostFunction<T, P> {
    /// Wraps the closure so that its arguments come from registers.
    fn into_host_function(self) -> Registered<T>;
}

/// What a host function returns: a [`RegisterValue`], or `()` for nothing.
pub trait HostResult {
    /// Spells the result for a graft whose sandbox starts at `base`.
    fn into_result(self, base: u64) -> u64;
}

impl<R: RegisterValue> HostResult for R {
    #[inline]
    fn into_result(self, base: u64) -> u64 {
        self.into_register(base)
    }
}

impl HostResult for () {
    #[inline]
    fn into_result(self, _base: u64) -> u64 {
        0
    }
}

macro_rules! host_function {
    ($($name:ident $index:literal)*) => {
        impl<T, R, F, $($name),*> IntoHostFunction<T, PhantomData<(R, $($name,)*)>> for F
        where
            R: HostResult,
            $($name: RegisterValue,)*
            F: Fn(&mut Caller<'_, '_, T>, $($name),*) -> Result<R, HostAbort>
                + Send
                + Sync
                + 'static,
        {
            fn into_host_function(self) -> Registered<T> {
                Box::new(move |caller, _args| {
                    let base = caller.memory.base();
                    let result = self(caller, $($name::from_register(_args[$index])),*)?;
                    Ok(result.into_result(base))
                })
            }
        }
    };
}

host_function!();
host_function!(A 0);
host_function!(A 0 B 1);
host_function!(A 0 B 1 C 2);
host_function!(A 0 B 1 C 2 D 3);
host_function!(A 0 B 1 C 2 D 3 E 4);
host_function!(A 0 B 1 C 2 D 3 E 4 G 5);
