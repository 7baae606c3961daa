//! An image in its sandbox, ready to be called.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use vino_abi::{
    ARGUMENTS_BYTES, ARGUMENTS_OFFSET, BASE_SLOT, GATES_OFFSET, HEAP_OFFSET, PAGE_BYTES, STACK_END,
    VIEWS_OFFSET,
};

use super::address::{BadSlice, SandboxAddr};
use super::arena::Slot;
use super::call;
use super::config::{Checked, InstanceConfig};
use super::engine::{Engine, Process};
use super::error::{ExecError, LoadError};
use super::fault::GraftFault;
use super::host::Host;
use super::memory::Memory;
use super::sys::Protection;
use crate::image::{LinkedImage, SegmentKind, SymbolTable};
use crate::verify::{self, Policy, Text};

/// A function of one instance that the host may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    instance: u64,
    offset: u32,
}

impl Entry {
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
    id: u64,
    base: u64,
    text: Range<u32>,
    gates_bytes: u32,
    stack_bytes: u32,
    image: Arc<LinkedImage>,
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

/// Numbers instances, so that an entry of one never passes for an entry of another.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Instance {
    /// Places an image in a sandbox, verifies its final bytes there, and seals it.
    ///
    /// Instances of one image may share it: pass clones of an [`Arc`].
    ///
    /// # Errors
    ///
    /// The code breaks a rule of the sandbox, the configuration asks for the impossible, or the
    /// system refuses memory. Nothing is left behind.
    pub fn load(
        engine: &Engine,
        image: impl Into<Arc<LinkedImage>>,
        config: InstanceConfig,
    ) -> Result<Self, LoadError> {
        let image = image.into();
        let checked = config.check()?;
        let process = engine.process();
        let mut memory = Memory::new(Slot::take(config.base_hint)?);
        let base = memory.base();
        map_fixed_parts(&mut memory, &checked)?;
        let gates_bytes = map_gates(&mut memory, process, image.imports())?;
        let text = map_image(&mut memory, &image, &config.policy)?;
        let views = map_views(&mut memory, &config)?;
        let core = Core {
            process,
            memory,
            deadline_us: checked.deadline_us,
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            base,
            text,
            gates_bytes,
            stack_bytes: checked.stack_bytes,
            image,
            views,
        };
        Ok(Self { core })
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
        let offset = self.core.image.entry(name)?.get();
        Some(Entry {
            instance: self.core.id,
            offset,
        })
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
    /// The entry is another instance's, there are more than six arguments, a host function
    /// panicked, or this is the thread's first call and the system has no memory for its signal
    /// stack.
    #[inline]
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

    /// Returns how many bytes of memory the instance has, without what the host shares with it.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.core.memory.private_bytes()
    }
}

impl Core {
    pub(super) fn symbols(&self) -> &SymbolTable {
        self.image.symbols()
    }

    #[inline]
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// Returns whether an entry was looked up in this instance.
    #[inline]
    pub(super) fn owns(&self, entry: Entry) -> bool {
        entry.instance == self.id
    }

    /// Returns the addresses at which a stack pointer leaves room for the gates.
    pub(super) fn stack_range(&self) -> Range<u64> {
        let end = self.base + u64::from(STACK_END);
        end - u64::from(self.stack_bytes) + PAGE_BYTES / 2..end
    }

    /// Returns the verified bytes and, with `text_offset`, where they are.
    pub(super) fn text(&self) -> &[u8] {
        self.memory
            .sealed(self.text.start, self.text.end - self.text.start)
    }

    pub(super) fn text_offset(&self) -> u32 {
        self.text.start
    }

    /// Returns whether an offset is in the text or the gates.
    pub(super) fn is_code(&self, offset: u32) -> bool {
        let gates = GATES_OFFSET..GATES_OFFSET + self.gates_bytes;
        self.text.contains(&offset) || gates.contains(&offset)
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

/// Bytes of the info page, of which the first word is the sandbox's base.
const INFO_BYTES: u32 = 4096;
const _: () = assert!(INFO_BYTES as u64 == PAGE_BYTES);

fn map_fixed_parts(memory: &mut Memory, checked: &Checked) -> Result<(), ExecError> {
    let base = memory.base().to_le_bytes();
    let info = memory.map("info page", BASE_SLOT, INFO_BYTES)?;
    info[..base.len()].copy_from_slice(&base);
    memory.seal("info page", BASE_SLOT, INFO_BYTES, Protection::Read)?;
    memory.map("argument page", ARGUMENTS_OFFSET, ARGUMENTS_BYTES)?;
    memory.map("heap", HEAP_OFFSET, checked.heap_bytes)?;
    memory.map(
        "stack",
        STACK_END - checked.stack_bytes,
        checked.stack_bytes,
    )?;
    Ok(())
}

fn map_gates(memory: &mut Memory, process: &Process, imports: &[u32]) -> Result<u32, ExecError> {
    let code = process.gates().bytes(imports);
    let bytes = u32::try_from(code.len()).expect("the gates of all imports take a few pages");
    memory
        .map("gates", GATES_OFFSET, bytes)?
        .copy_from_slice(&code);
    memory.seal("gates", GATES_OFFSET, bytes, Protection::ReadExecute)?;
    Ok(bytes)
}

/// Maps the segments and makes the text executable if it passes the verifier.
fn map_image(
    memory: &mut Memory,
    image: &LinkedImage,
    policy: &Policy,
) -> Result<Range<u32>, LoadError> {
    let base = memory.base();
    let mut text = 0..0;
    let mut end = 0;
    for (index, segment) in image.segments().iter().enumerate() {
        let (offset, bytes) = (segment.offset, segment.bytes_len);
        end = end.max(offset + bytes);
        match segment.kind {
            SegmentKind::Text => {
                image.place(base, index, memory.map("text", offset, bytes)?);
                memory.seal("text", offset, bytes, Protection::Read)?;
                assert!(text.is_empty(), "an image has one text segment");
                text = offset..offset + bytes;
            }
            SegmentKind::ReadOnly => {
                image.place(base, index, memory.map("read-only data", offset, bytes)?);
                memory.seal("read-only data", offset, bytes, Protection::Read)?;
            }
            SegmentKind::Data => {
                image.place(base, index, memory.map("data", offset, bytes)?);
            }
        }
    }
    let bytes = text.end - text.start;
    let entries: Vec<u32> = image.entries().map(|(_, at)| at.get()).collect();
    let candidate = Text {
        bytes: memory.sealed(text.start, bytes),
        offset: text.start,
        image: text.start..end,
        imports: image.imports(),
        relocations: image.text_relocations(),
        entries: &entries,
        symbols: image.symbols(),
    };
    let proof = verify::verify(&candidate, policy).map_err(LoadError::Rejected)?;
    memory.make_executable(proof)?;
    Ok(text)
}

/// Maps the views one after another and returns where each is.
fn map_views(memory: &mut Memory, config: &InstanceConfig) -> Result<Vec<u32>, ExecError> {
    let mut next = VIEWS_OFFSET;
    let mut offsets = Vec::with_capacity(config.views.len());
    for view in &config.views {
        memory.map_view(next, view)?;
        offsets.push(next);
        next += view.mapped_bytes();
    }
    Ok(offsets)
}
