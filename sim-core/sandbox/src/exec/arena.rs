//! The address space of all sandboxes of the process.
//!
//! Sandboxes live in *slots*: 4 GiB each, followed by a guard of 4 GiB that its neighbour shares.
//! Slots come in chunks of inaccessible address space, reserved one after another from a fixed
//! address so that a run that is repeated finds its sandboxes where they were.
//!
//! ```text
//!  chunk:  | guard | slot 0 | guard | slot 1 | guard | ... | slot 63 | guard |
//! ```
//!
//! A chunk, once reserved, is never given back: what is inaccessible costs nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};

use vino_abi::{GUARD_BYTES, SANDBOX_BYTES};

use super::error::ExecError;
use super::sys;

/// Where the first chunk starts: above what non-PIE programs use, below what PIE programs use.
const ARENA_START: usize = 0x100_0000_0000;
/// Slots in one chunk; one bit each in a `u64`.
const CHUNK_SLOTS: u32 = u64::BITS;
/// Chunks in the process: 10,240 sandboxes, which 47 bits of address space can hold.
const CHUNKS_MAX: usize = 160;

const SANDBOX: usize = 1 << 32;
const GUARD: usize = 1 << 32;
const _: () = assert!(SANDBOX as u64 == SANDBOX_BYTES && GUARD as u64 == GUARD_BYTES);
const STRIDE: usize = SANDBOX + GUARD;
const CHUNK_BYTES: usize = GUARD + CHUNK_SLOTS as usize * STRIDE;

/// A run of slots reserved at once.
struct Chunk {
    first: usize,
    free: u64,
}

impl Chunk {
    fn reserve(index: usize) -> Result<Self, ExecError> {
        let wanted = ARENA_START + index * CHUNK_BYTES;
        let start = match sys::reserve_at(wanted, CHUNK_BYTES) {
            Ok(()) => wanted,
            // Something else is mapped there; any other place serves as well.
            Err(_) => reserve_anywhere().map_err(|source| ExecError::AddressSpace {
                bytes: CHUNK_BYTES as u64,
                source,
            })?,
        };
        Ok(Self {
            first: start + GUARD,
            free: u64::MAX,
        })
    }

    fn index_of(&self, base: usize) -> Option<u32> {
        let distance = base.checked_sub(self.first)?;
        if distance % STRIDE != 0 {
            return None;
        }
        u32::try_from(distance / STRIDE)
            .ok()
            .filter(|index| *index < CHUNK_SLOTS)
    }
}

/// Reserves a chunk that starts at a multiple of a sandbox's size, wherever there is room.
fn reserve_anywhere() -> std::io::Result<usize> {
    let got = sys::reserve(CHUNK_BYTES + SANDBOX)?;
    let start = got.next_multiple_of(SANDBOX);
    let tail = got + CHUNK_BYTES + SANDBOX - (start + CHUNK_BYTES);
    if start > got {
        sys::release(got, start - got)?;
    }
    if tail > 0 {
        sys::release(start + CHUNK_BYTES, tail)?;
    }
    Ok(start)
}

static CHUNKS: Mutex<Vec<Chunk>> = Mutex::new(Vec::new());

fn chunks() -> MutexGuard<'static, Vec<Chunk>> {
    // No operation under the lock leaves the table half changed.
    CHUNKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One sandbox's address space, all of it inaccessible; given back when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    base: usize,
}

impl Slot {
    /// Takes the slot at `hint` if it is one and free, otherwise the lowest that is free.
    pub(super) fn take(hint: Option<u64>) -> Result<Self, ExecError> {
        let mut chunks = chunks();
        let hinted = hint.and_then(|base| usize::try_from(base).ok());
        if let Some(base) = hinted {
            // Where there is no room for so many chunks there is none for that base either.
            while chunks.len() <= chunk_of(base).unwrap_or(0) && reserve_next(&mut chunks).is_ok() {
            }
            if let Some(slot) = take_at(&mut chunks, base) {
                return Ok(slot);
            }
        }
        if chunks.iter().all(|chunk| chunk.free == 0) {
            reserve_next(&mut chunks)?;
        }
        let (chunk, index) = chunks
            .iter_mut()
            .find_map(|chunk| {
                let index = chunk.free.trailing_zeros();
                (index < CHUNK_SLOTS).then_some((chunk, index))
            })
            .expect("a chunk with a free slot was just found or made");
        chunk.free &= !(1 << index);
        Ok(Self {
            base: chunk.first + index as usize * STRIDE,
        })
    }

    /// Returns the address of the sandbox's first byte.
    pub(super) fn base(&self) -> usize {
        self.base
    }
}

/// Returns which chunk an address is in, if chunks are where they should be.
fn chunk_of(base: usize) -> Option<usize> {
    let index = base.checked_sub(ARENA_START)? / CHUNK_BYTES;
    (index < CHUNKS_MAX).then_some(index)
}

fn reserve_next(chunks: &mut Vec<Chunk>) -> Result<(), ExecError> {
    if chunks.len() == CHUNKS_MAX {
        return Err(ExecError::TooManySandboxes {
            max: CHUNKS_MAX * CHUNK_SLOTS as usize,
        });
    }
    let chunk = Chunk::reserve(chunks.len())?;
    chunks.push(chunk);
    Ok(())
}

fn take_at(chunks: &mut [Chunk], base: usize) -> Option<Slot> {
    chunks.iter_mut().find_map(|chunk| {
        let bit = 1 << chunk.index_of(base)?;
        if chunk.free & bit == 0 {
            return None;
        }
        chunk.free &= !bit;
        Some(Slot { base })
    })
}

impl Slot {
    /// Gives back what is mapped and reserves the address space once more.
    ///
    /// A process with as many mappings as it may have can only give some back. Nothing reaches the
    /// slot while it is not reserved: its sandbox is gone, and the neighbours' guards stay.
    #[cold]
    fn empty(&self) -> std::io::Result<()> {
        sys::release(self.base, SANDBOX)?;
        sys::reserve_at(self.base, SANDBOX)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // SAFETY: the slot is this handle's alone, and `Memory`, its only user, is being dropped.
        if unsafe { sys::scrub(self.base, SANDBOX) }.is_err() && self.empty().is_err() {
            // Memory of somebody else may be mapped here: never hand this slot out again.
            return;
        }
        let mut chunks = chunks();
        let home = chunks.iter_mut().find_map(|chunk| {
            let index = chunk.index_of(self.base)?;
            Some((chunk, index))
        });
        let (chunk, index) = home.expect("every slot comes from a chunk, and chunks stay");
        chunk.free |= 1 << index;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::alone;
    use super::{CHUNK_BYTES, CHUNKS_MAX, SANDBOX, STRIDE, Slot};

    /// Far enough from the lowest free slot that no other test of this process takes it meanwhile.
    const FAR_SLOTS: usize = 40;

    #[test]
    fn slots_are_aligned_apart_and_found_again_by_their_base() {
        let first = Slot::take(None).expect("a slot");
        assert_eq!(first.base() % SANDBOX, 0);
        let base = first.base() + FAR_SLOTS * STRIDE;
        for _ in 0..2 {
            let far = Slot::take(Some(base as u64)).expect("a slot");
            assert_eq!(far.base(), base);
        }
    }

    #[test]
    fn a_taken_base_is_not_handed_out_twice() {
        let first = Slot::take(None).expect("a slot");
        let second = Slot::take(Some(first.base() as u64)).expect("a slot");
        assert!(first.base().abs_diff(second.base()) >= STRIDE);
    }

    /// A base comes with a record of a run, perhaps of a machine with more room.
    #[test]
    fn a_base_for_which_there_is_no_room_is_passed_over() {
        if !alone("exec::arena::tests::a_base_for_which_there_is_no_room_is_passed_over") {
            return;
        }
        let first = Slot::take(None).expect("a slot");
        let limit = libc::rlimit {
            rlim_cur: (4 * CHUNK_BYTES) as u64,
            rlim_max: (4 * CHUNK_BYTES) as u64,
        };
        // SAFETY: limits a process that runs nothing but this test.
        let status = unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) };
        assert_eq!(status, 0);
        let last = first.base() + (CHUNKS_MAX - 1) * CHUNK_BYTES;
        let second = Slot::take(Some(last as u64)).expect("another slot");
        assert_eq!(second.base(), first.base() + STRIDE);
    }
}
