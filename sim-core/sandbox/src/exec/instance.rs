//! An image in its sandbox, ready to be called.

use std::ops::Range;

use vino_abi::{GATES_OFFSET, PAGE_BYTES, STACK_END};

use super::address::{BadSlice, SandboxAddr};
use super::arena::Slot;
use super::call;
use super::config::InstanceConfig;
use super::engine::Process;
use super::entry::Clearing;
use super::error::{ExecError, InstanceError};
use super::fault::GraftFault;
use super::host::Host;
use super::memory::Memory;
use super::verified::VerifiedImage;
use crate::image::SymbolTable;

/// A function of an image that the host may call on its instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    image: u64,
    offset: u32,
}

impl Entry {
    /// Names an entry of the image of that number.
    pub(super) fn new(image: u64, offset: u32) -> Self {
        Self { image, offset }
    }

    /// Returns where the function starts in the sandbox.
    #[must_use]
    pub fn offset(self) -> u32 {
        self.offset
    }
}

/// What an instance is, apart from the right to call it.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) process: &'static Process,
    pub(super) memory: Memory,
    pub(super) deadline_us: u32,
    pub(super) clearing: Clearing,
    image_id: u64,
    base: u64,
    stack_bytes: u32,
    views: Vec<u32>,
}

/// A verified image in a sandbox of its own.
///
/// An instance may move between threads; whoever holds it exclusively may call it. Dropping it
/// gives back all of its memory.
#[derive(Debug)]
pub struct Instance {
    core: Core,
}

impl Instance {
    /// Gives an image a sandbox: its pages of code are the image's own, the rest is fresh.
    ///
    /// # Errors
    ///
    /// The configuration asks for the impossible, or the system refuses memory. Nothing is left
    /// behind.
    pub fn new(image: &VerifiedImage, config: InstanceConfig) -> Result<Self, InstanceError> {
        let checked = config.check()?;
        let slot = Slot::take(config.base_hint)?;
        let mut memory = Memory::new(slot, image.clone(), &checked)?;
        let views = config
            .views
            .iter()
            .map(|view| memory.map_view(view))
            .collect::<Result<_, _>>()?;
        let core = Core {
            process: image.process(),
            deadline_us: checked.deadline_us,
            clearing: image.clearing(),
            image_id: image.id(),
            base: memory.base(),
            stack_bytes: checked.stack_bytes,
            views,
            memory,
        };
        Ok(Self { core })
    }

    /// Makes the instance's memory what it was when it was new, its heap as small.
    ///
    /// Views stay as they are: they are the host's.
    ///
    /// # Errors
    ///
    /// The system refuses. The instance can still be called, and finds its memory in any state.
    pub fn reset(&mut self) -> Result<(), ExecError> {
        self.core.memory.reset()
    }

    /// Adds zeroed bytes, rounded up to pages, to the end of the heap, and returns the first.
    ///
    /// `None` if the heap would exceed the limit of the configuration, or the system has no memory
    /// for it.
    pub fn grow_heap(&mut self, bytes: u32) -> Option<SandboxAddr> {
        self.core.memory.grow_heap(bytes)
    }

    /// Returns where in the sandbox the heap starts and ends; it starts on the page after data.
    #[must_use]
    pub fn heap(&self) -> Range<u32> {
        self.core.memory.heap()
    }

    /// Returns the image that the instance runs.
    #[must_use]
    pub fn image(&self) -> &VerifiedImage {
        self.core.memory.image()
    }

    #[inline(always)]
    pub(super) fn core_mut(&mut self) -> &mut Core {
        &mut self.core
    }

    /// Returns the address of the sandbox's first byte; pointers given to the graft start there.
    #[must_use]
    pub fn base(&self) -> u64 {
        self.core.base
    }

    /// Returns where in the sandbox a view of the configuration is mapped.
    ///
    /// # Panics
    ///
    /// The configuration had no such view.
    #[must_use]
    pub fn view_offset(&self, index: usize) -> u32 {
        self.core.views[index]
    }

    /// Finds a global function of the image by its name as in the object.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<Entry> {
        self.image().entry(name)
    }

    /// Calls a function of the graft and waits for it.
    ///
    /// The graft gets the arguments in the registers of the C calling convention, and zero in every
    /// other. A call that returns makes no system call and allocates nothing.
    ///
    /// # Errors
    ///
    /// The graft trapped, missed its deadline, or was aborted by a host function. The instance can
    /// be called again, and finds its memory as it was at that moment.
    ///
    /// # Panics
    ///
    /// The entry is another image's, there are more than six arguments, a host function
    /// panicked, or this is the thread's first call and the system has no memory for its signal
    /// stack.
    #[inline(always)]
    pub fn call<H: Host>(
        &mut self,
        entry: Entry,
        args: &[u64],
        host: &mut H,
    ) -> Result<u64, GraftFault> {
        call::call_fresh(&mut self.core, entry, args, host)
    }

    /// Copies memory of the sandbox out.
    ///
    /// # Errors
    ///
    /// Part of the range is not mapped.
    pub fn read(&self, addr: SandboxAddr, into: &mut [u8]) -> Result<(), BadSlice> {
        self.core.memory.read(addr, into)
    }

    /// Copies into memory of the sandbox.
    ///
    /// # Errors
    ///
    /// Part of the range is not mapped or not writable.
    pub fn write(&mut self, addr: SandboxAddr, from: &[u8]) -> Result<(), BadSlice> {
        self.core.memory.write(addr, from)
    }

    /// Reads a little-endian word; `None` if it is not mapped.
    #[inline]
    #[must_use]
    pub fn read_u64(&self, addr: SandboxAddr) -> Option<u64> {
        self.core.read_u64(addr)
    }

    /// Reads a little-endian half word; `None` if it is not mapped.
    #[inline]
    #[must_use]
    pub fn read_u32(&self, addr: SandboxAddr) -> Option<u32> {
        self.core.read_u32(addr)
    }

    /// Writes a little-endian word.
    ///
    /// # Errors
    ///
    /// It is not mapped or not writable.
    #[inline]
    pub fn write_u64(&mut self, addr: SandboxAddr, value: u64) -> Result<(), BadSlice> {
        self.core.memory.write(addr, &value.to_le_bytes())
    }

    /// Writes a little-endian half word.
    ///
    /// # Errors
    ///
    /// It is not mapped or not writable.
    #[inline]
    pub fn write_u32(&mut self, addr: SandboxAddr, value: u32) -> Result<(), BadSlice> {
        self.core.memory.write(addr, &value.to_le_bytes())
    }

    /// Returns how many bytes of memory are the instance's own: not text, nor what the host shares
    /// with it.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.core.memory.private_bytes()
    }
}

impl Core {
    pub(super) fn symbols(&self) -> &SymbolTable {
        self.memory.image().symbols()
    }

    #[inline(always)]
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// Returns whether an entry is of the image that this runs.
    #[inline(always)]
    pub(super) fn owns(&self, entry: Entry) -> bool {
        entry.image == self.image_id
    }

    /// Returns the addresses at which a stack pointer leaves room for the gates.
    pub(super) fn stack_range(&self) -> Range<u64> {
        let end = self.base + u64::from(STACK_END);
        end - u64::from(self.stack_bytes) + PAGE_BYTES / 2..end
    }

    /// Returns the verified bytes and, with `text_offset`, where they are.
    pub(super) fn text(&self) -> &[u8] {
        self.memory.image().text_bytes()
    }

    pub(super) fn text_offset(&self) -> u32 {
        self.memory.image().text_offset()
    }

    /// Returns whether an offset is in the text or the gates.
    pub(super) fn is_code(&self, offset: u32) -> bool {
        (GATES_OFFSET..self.memory.image().code().end).contains(&offset)
    }

    #[inline]
    pub(super) fn read_u64(&self, addr: SandboxAddr) -> Option<u64> {
        let mut bytes = [0; size_of::<u64>()];
        self.memory.read(addr, &mut bytes).ok()?;
        Some(u64::from_le_bytes(bytes))
    }

    #[inline]
    pub(super) fn read_u32(&self, addr: SandboxAddr) -> Option<u32> {
        let mut bytes = [0; size_of::<u32>()];
        self.memory.read(addr, &mut bytes).ok()?;
        Some(u32::from_le_bytes(bytes))
    }
}
