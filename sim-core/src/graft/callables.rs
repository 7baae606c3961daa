//! What the kernel answers when a graft calls it.
//!
//! Every function here is graft-callable in the manual's sense: it checks each argument, shows
//! nothing of another address space, and logs what undoes each change before making it (VINO manual
//! 3.1 and 3.2).
use vino_abi as abi;
use vino_sandbox::{GraftMemory, GraftSlice, Host, HostAbort};

use super::Point;
use super::generated::{CALLABLES, GraftCallables, GraftPtr, dispatch};
use super::invoke::Surroundings;
use super::misbehaviour::{
    ABORT_HEAP_REFUSED, ABORT_HOST_CALLS, ABORT_RECORDED, ABORT_UNDO_LOG_FULL,
};
use super::registry::Scope;
use crate::ids::{FrameNo, VasId};
use crate::kernel::{Kernel, Unanswered};
use crate::vm::{SetStateError, Vm, frame_of, link_of};

/// The most elements of an array argument.
const ARRAY_ELEMENTS_MAX: u32 = 512;
/// The most pages that one call of `pm_mgr::pageout` evicts.
const PAGEOUT_PAGES_MAX: u32 = 16;

/// What a graft's allocator calls for more heap: `void *vino_heap_grow(size_t bytes)`.
///
/// It is no function of a class, so the interface does not list it.
pub(super) const HEAP_GROW: &str = "vino_heap_grow";

/// The import number of [`HEAP_GROW`], after those of the interface's functions.
pub(super) fn heap_grow_number() -> u32 {
    u32::try_from(CALLABLES.len()).expect("fewer callables than IMPORTS_MAX")
}

/// The kernel as one invocation of a graft may use it.
pub(crate) struct KernelHost<'a, 'k> {
    pub(crate) around: &'a mut Surroundings<'k>,
    pub(crate) scope: &'a Scope,
    pub(crate) point: Point,
    pub(crate) calls_left: u32,
}

impl Host for KernelHost<'_, '_> {
    fn call(
        &mut self,
        memory: &mut GraftMemory<'_>,
        import: u32,
        args: &[u64; 6],
    ) -> Result<u64, HostAbort> {
        let calls_left = self.calls_left.checked_sub(1);
        self.calls_left = calls_left.ok_or(ABORT_HOST_CALLS)?;
        if import == heap_grow_number() {
            return grow_heap(
                memory,
                args[0],
                self.around.kernel.config.graft_limits.heap_bytes_max,
            );
        }
        let callable = CALLABLES.get(import as usize);
        let callable = callable.expect("linking gave only these numbers").id;
        let value = dispatch(callable, args, &mut Call { host: self, memory })?;
        match self.around.children_max {
            Some(max) if self.around.kernel.txns.children() >= max => Err(ABORT_RECORDED),
            _ => Ok(value),
        }
    }
}

/// Adds to a graft's heap and gives its pointer, null over the graft's limit.
///
/// What the graft sees depends on its limit only, so that a replay sees it again: where the system
/// refuses memory, the invocation is aborted, which is recorded.
fn grow_heap(memory: &mut GraftMemory<'_>, bytes: u64, bytes_max: u32) -> Result<u64, HostAbort> {
    let used = memory.heap().len() as u64;
    let wanted = bytes.checked_next_multiple_of(abi::PAGE_BYTES);
    let total = wanted.and_then(|wanted| used.checked_add(wanted));
    let limit = u64::from(bytes_max).next_multiple_of(abi::PAGE_BYTES);
    let (Some(total), Ok(bytes)) = (total, u32::try_from(bytes)) else {
        return Ok(0);
    };
    if total > limit {
        return Ok(0);
    }
    let start = memory.grow_heap(bytes).ok_or(ABORT_HEAP_REFUSED)?;
    Ok(memory.base() + u64::from(start.offset()))
}

/// One call of a graft-callable function.
struct Call<'h, 'a, 'k, 'm, 'c> {
    host: &'h mut KernelHost<'a, 'k>,
    memory: &'m mut GraftMemory<'c>,
}

/// The register value of a `status_t`.
fn status(status: i32) -> u64 {
    u64::from(status.cast_unsigned())
}

impl Call<'_, '_, '_, '_, '_> {
    fn kernel(&mut self) -> &mut Kernel {
        self.host.around.kernel
    }

    fn vm(&self) -> &Vm {
        &self.host.around.kernel.vm
    }

    /// The frame whose entry a graft points at, if it holds a page that the graft may see.
    fn entry(&self, this: GraftPtr) -> Option<FrameNo> {
        let host = &self.host;
        match host.scope {
            Scope::Vas(vas) => {
                let frame = frame_of(this.offset(), self.vm().frames())?;
                (self.vm().visible_owner(frame) == Some(*vas)).then_some(frame)
            }
            Scope::Kernel(batch) => Some(batch.frames()[batch.index_of(this.offset())?]),
        }
    }

    /// The owner of a physical address's page, if the graft may see it.
    fn visible_frame(&self, pa: u64) -> Option<(VasId, FrameNo)> {
        let number = u32::try_from(pa / abi::PAGE_BYTES).ok()?;
        let frame = FrameNo(number);
        if number >= self.vm().frames() {
            return None;
        }
        let owner = self.vm().visible_owner(frame)?;
        let visible = match self.host.scope {
            Scope::Vas(vas) => owner == *vas,
            Scope::Kernel(batch) => batch.frames().contains(&frame),
        };
        visible.then_some((owner, frame))
    }

    /// The frame of the caller's page at a virtual address.
    fn frame_at(&self, va: u64) -> Option<FrameNo> {
        let space = self.vm().vas(self.host.scope.vas()?);
        let frame = space.frame_of(space.page_of_vpn(va / abi::PAGE_BYTES)?)?;
        self.vm().visible_owner(frame).map(|_owner| frame)
    }

    /// Whether `this` is the caller's own address space.
    fn is_own_space(&self, this: GraftPtr) -> bool {
        matches!(self.host.scope, Scope::Vas(_)) && this.offset() == abi::VIEWS_OFFSET
    }

    /// The pointer with which the graft reaches an offset of its sandbox; null for 0.
    fn pointer(&self, offset: u32) -> u64 {
        match offset {
            0 => 0,
            _ => self.memory.base() + u64::from(offset),
        }
    }

    /// Stores an OUT argument; a pointer to nowhere is the caller's mistake.
    fn put(&mut self, out: GraftSlice, bytes: &[u8]) -> u64 {
        match self.memory.write(out, bytes) {
            Ok(()) => status(abi::SUCCESS),
            Err(_not_mapped) => status(abi::EINVAL),
        }
    }

    fn put_flag(&mut self, out: GraftSlice, flag: bool) -> u64 {
        self.put(out, &u32::from(flag).to_le_bytes())
    }
}

impl GraftCallables for Call<'_, '_, '_, '_, '_> {
    type Abort = HostAbort;

    fn vm_offset_bsd_pmap_extract(&mut self, va: u64, pa: GraftSlice) -> Result<u64, HostAbort> {
        let Some(frame) = self.frame_at(va) else {
            return Ok(status(abi::ENOTFOUND));
        };
        let address = u64::from(frame.0) * abi::PAGE_BYTES + va % abi::PAGE_BYTES;
        Ok(self.put(pa, &address.to_le_bytes()))
    }

    fn vm_offset_bsd_pmap_is_referenced(
        &mut self,
        pa: u64,
        referenced: GraftSlice,
    ) -> Result<u64, HostAbort> {
        let Some((owner, frame)) = self.visible_frame(pa) else {
            return Ok(status(abi::EPERM));
        };
        let flag = self.vm().vas(owner).view().is_referenced(frame);
        Ok(self.put_flag(referenced, flag))
    }

    fn vm_offset_bsd_pmap_is_modified(
        &mut self,
        pa: u64,
        modified: GraftSlice,
    ) -> Result<u64, HostAbort> {
        let Some((owner, frame)) = self.visible_frame(pa) else {
            return Ok(status(abi::EPERM));
        };
        let flag = self.vm().vas(owner).view().is_modified(frame);
        Ok(self.put_flag(modified, flag))
    }

    fn vm_offset_bsd_pmap_rev_lookup(&mut self, pa: u64, va: GraftSlice) -> Result<u64, HostAbort> {
        let Some((owner, frame)) = self.visible_frame(pa) else {
            return Ok(status(abi::EPERM));
        };
        let vpn = self.vm().vas(owner).view().vpn(frame);
        match vpn.checked_mul(abi::PAGE_BYTES) {
            Some(address) => {
                let address = address + pa % abi::PAGE_BYTES;
                Ok(self.put(va, &address.to_le_bytes()))
            }
            // A trace may number pages beyond 2^52, which no byte address reaches.
            None => Ok(status(abi::ENOTFOUND)),
        }
    }

    fn coremap_entry_get_owner_vas(&mut self, this: GraftPtr) -> Result<u64, HostAbort> {
        let Some(frame) = self.entry(this) else {
            return Ok(0);
        };
        let offset = match self.host.scope {
            Scope::Vas(_) => abi::VIEWS_OFFSET,
            Scope::Kernel(batch) => {
                let owner = self.vm().owner(frame);
                owner.map_or(0, |owner| batch.header_of(owner))
            }
        };
        Ok(self.pointer(offset))
    }

    fn coremap_entry_get_pa(&mut self, this: GraftPtr) -> Result<u64, HostAbort> {
        let frame = self.entry(this);
        Ok(frame.map_or(0, |frame| u64::from(frame.0) * abi::PAGE_BYTES))
    }

    fn coremap_entry_get_pagestate(&mut self, this: GraftPtr) -> Result<u64, HostAbort> {
        let entry = self.entry(this);
        let found = entry.and_then(|frame| Some((self.vm().owner(frame)?, frame)));
        let state = found.map_or(abi::PAGE_FREE, |(owner, frame)| {
            self.vm().vas(owner).view().state(frame)
        });
        Ok(u64::from(state))
    }

    fn coremap_entry_set_pagestate(
        &mut self,
        this: GraftPtr,
        new_state: u32,
    ) -> Result<u64, HostAbort> {
        // The pages of a batch are on their way out: their states are not for a graft to change.
        let own = self.host.scope.vas();
        let Some((vas, frame)) = own.zip(self.entry(this)) else {
            return Ok(status(abi::EPERM));
        };
        self.kernel().lock_page_list(vas);
        let kernel = self.kernel();
        let wired_max = kernel.config.graft_limits.wired_pages_max;
        let record = match kernel.vm.prepare_page_state(frame, new_state, wired_max) {
            Ok(record) => record,
            Err(SetStateError::NoSuchState) => return Ok(status(abi::EINVAL)),
            Err(SetStateError::WiredLimit) => return Ok(status(abi::ENOSPC)),
        };
        let logged = kernel.txns.log_undo(record);
        logged.map_err(|_log_full| ABORT_UNDO_LOG_FULL)?;
        let watch = kernel.txns.watch();
        kernel.vm.set_page_state(frame, new_state, watch);
        Ok(status(abi::SUCCESS))
    }

    fn coremap_entry_get_statelink(&mut self, this: GraftPtr) -> Result<u64, HostAbort> {
        let offset = self.entry(this).map_or(0, |_frame| this.offset());
        Ok(self.pointer(offset))
    }

    fn pm_mgr_pageout(
        &mut self,
        this: GraftPtr,
        n_pages: u32,
        free_frames: GraftSlice,
    ) -> Result<u64, HostAbort> {
        // Where pages are on their way to swap, they must not lose their frames.
        let between_pages = matches!(
            self.host.point,
            Point::PmMgrStopPageout | Point::PmMgrAwakePagedaemon
        );
        if !between_pages || this.offset() != abi::VIEWS_OFFSET {
            return Ok(status(abi::EPERM));
        }
        if n_pages > PAGEOUT_PAGES_MAX {
            return Ok(status(abi::EINVAL));
        }
        // A call that is refused evicts nothing.
        if self.put(free_frames, &[0; 4]) != status(abi::SUCCESS) {
            return Ok(status(abi::EINVAL));
        }
        let around = &mut *self.host.around;
        let (free, outcome) = around.kernel.pageout(n_pages, around.meter);
        let stored = self.put(free_frames, &free.to_le_bytes());
        Ok(match outcome {
            Ok(()) => stored,
            Err(Unanswered::NoVictim) => status(abi::ENOTFOUND),
            Err(Unanswered::LogFull) => status(abi::ENOSPC),
        })
    }

    fn as_deref(&mut self, this: GraftPtr, va: u64, entry: GraftSlice) -> Result<u64, HostAbort> {
        if !self.is_own_space(this) {
            return Ok(status(abi::EPERM));
        }
        let Some(frame) = self.frame_at(va) else {
            return Ok(status(abi::ENOTFOUND));
        };
        let pointer = self.pointer(link_of(frame));
        Ok(self.put(entry, &pointer.to_le_bytes()))
    }

    fn as_deref_all(
        &mut self,
        this: GraftPtr,
        va: u64,
        n_pages: u32,
        entries: GraftSlice,
    ) -> Result<u64, HostAbort> {
        if !self.is_own_space(this) {
            return Ok(status(abi::EPERM));
        }
        if n_pages > ARRAY_ELEMENTS_MAX || u64::from(entries.len()) != 8 * u64::from(n_pages) {
            return Ok(status(abi::EINVAL));
        }
        let mut bytes = [0u8; 8 * ARRAY_ELEMENTS_MAX as usize];
        let elements = bytes.as_chunks_mut::<8>().0.iter_mut();
        for (index, element) in (0..u64::from(n_pages)).zip(elements) {
            let address = va.checked_add(index * abi::PAGE_BYTES);
            let frame = address.and_then(|va| self.frame_at(va));
            let pointer = frame.map_or(0, |frame| self.pointer(link_of(frame)));
            *element = pointer.to_le_bytes();
        }
        Ok(self.put(entries, &bytes[..8 * n_pages as usize]))
    }
}
