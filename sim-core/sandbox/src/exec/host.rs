//! What a graft may call, from the host's side.

use std::ops::Range;

use super::address::{BadSlice, GraftSlice, SandboxAddr};
use super::call;
use super::fault::GraftFault;
use super::instance::{Core, Entry};

/// The functions that a graft imports.
///
/// A panic in a host function ends the invocation and goes on in the caller of
/// [`Instance::call`](super::Instance::call).
pub trait Host {
    /// Runs the import of that index for a graft that waits for the answer.
    ///
    /// Every argument register is passed, whatever the graft put in it: it is for the import to
    /// know how many it has, and to check them.
    ///
    /// # Errors
    ///
    /// The invocation ends, and its caller gets [`FaultKind::Aborted`](super::FaultKind::Aborted).
    fn call(
        &mut self,
        memory: &mut GraftMemory<'_>,
        import: u32,
        args: &[u64; 6],
    ) -> Result<u64, HostAbort>;
}

/// A host function's decision to end the invocation, with a code that is the embedder's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostAbort(pub u32);

/// A host without functions: every call of one ends the invocation.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHost;

impl NoHost {
    /// The code with which a call ends.
    pub const ABORT: HostAbort = HostAbort(u32::MAX);
}

impl Host for NoHost {
    fn call(
        &mut self,
        _memory: &mut GraftMemory<'_>,
        _import: u32,
        _args: &[u64; 6],
    ) -> Result<u64, HostAbort> {
        Err(Self::ABORT)
    }
}

/// The memory of a graft that waits for a host function.
#[derive(Debug)]
pub struct GraftMemory<'a> {
    core: &'a mut Core,
    /// The graft's stack pointer.
    stack: u64,
}

impl<'a> GraftMemory<'a> {
    pub(super) fn new(core: &'a mut Core, stack: u64) -> Self {
        Self { core, stack }
    }

    /// Returns the sandbox's base.
    #[must_use]
    pub fn base(&self) -> u64 {
        self.core.base()
    }

    /// Returns whether all that a graft claims to own is mapped.
    #[must_use]
    pub fn covers(&self, claim: GraftSlice) -> bool {
        self.core.memory.covers(claim.addr(), claim.len())
    }

    /// Copies what the graft claims to own into the front of `into`.
    ///
    /// The copy is made once: check the copy, never the original.
    ///
    /// # Errors
    ///
    /// Part of the claim is not mapped.
    ///
    /// # Panics
    ///
    /// `into` is not as long as the claim.
    pub fn read(&self, from: GraftSlice, into: &mut [u8]) -> Result<(), BadSlice> {
        assert_eq!(
            from.len() as usize,
            into.len(),
            "a copy is as long as its original"
        );
        self.core.memory.read(from.addr(), into)
    }

    /// Copies `from` into memory that the graft claims to own.
    ///
    /// # Errors
    ///
    /// Part of the claim is not mapped or not writable.
    ///
    /// # Panics
    ///
    /// `from` is not as long as the claim.
    pub fn write(&mut self, into: GraftSlice, from: &[u8]) -> Result<(), BadSlice> {
        assert_eq!(
            into.len() as usize,
            from.len(),
            "a copy is as long as its original"
        );
        self.core.memory.write(into.addr(), from)
    }

    /// Reads a little-endian word; `None` if it is not mapped.
    #[must_use]
    pub fn read_u64(&self, addr: SandboxAddr) -> Option<u64> {
        self.core.read_u64(addr)
    }

    /// Reads a little-endian half word; `None` if it is not mapped.
    #[must_use]
    pub fn read_u32(&self, addr: SandboxAddr) -> Option<u32> {
        self.core.read_u32(addr)
    }

    /// Writes a little-endian word.
    ///
    /// # Errors
    ///
    /// It is not mapped or not writable.
    pub fn write_u64(&mut self, addr: SandboxAddr, value: u64) -> Result<(), BadSlice> {
        self.core.memory.write(addr, &value.to_le_bytes())
    }

    /// Writes a little-endian half word.
    ///
    /// # Errors
    ///
    /// It is not mapped or not writable.
    pub fn write_u32(&mut self, addr: SandboxAddr, value: u32) -> Result<(), BadSlice> {
        self.core.memory.write(addr, &value.to_le_bytes())
    }

    /// Adds zeroed bytes, rounded up to pages, to the end of the heap, and returns the first.
    ///
    /// As [`Instance::grow_heap`](super::Instance::grow_heap).
    pub fn grow_heap(&mut self, bytes: u32) -> Option<SandboxAddr> {
        self.core.memory.grow_heap(bytes)
    }

    /// Returns where in the sandbox the heap starts and ends.
    #[must_use]
    pub fn heap(&self) -> Range<u32> {
        self.core.memory.heap()
    }

    /// Calls the waiting graft back: a new invocation, on the same stack below the waiting one.
    ///
    /// # Errors
    ///
    /// The inner invocation ended early. The outer one still waits; whether it may go on is for the
    /// host function to decide.
    ///
    /// # Panics
    ///
    /// As [`Instance::call`](super::Instance::call).
    pub fn call_back<H: Host>(
        &mut self,
        entry: Entry,
        args: &[u64],
        host: &mut H,
    ) -> Result<u64, GraftFault> {
        call::call_below(self.core, self.stack, entry, args, host)
    }
}
