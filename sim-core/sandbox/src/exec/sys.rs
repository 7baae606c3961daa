//! The system calls of the executor, each with its result checked.
//!
//! With those of `signals` (`rt_sigaction`, `rt_sigprocmask`, `sigaltstack`, `rt_sigreturn`) and of
//! the standard library's threads, they are all that a process which runs grafts has to be allowed.

use std::arch::asm;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::time::Duration;

/// What code may do with a range of pages; never write and execute at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    Read,
    ReadWrite,
    ReadExecute,
}

impl Protection {
    const fn flags(self) -> libc::c_int {
        match self {
            Self::Read => libc::PROT_READ,
            Self::ReadWrite => libc::PROT_READ | libc::PROT_WRITE,
            Self::ReadExecute => libc::PROT_READ | libc::PROT_EXEC,
        }
    }
}

const RESERVE_FLAGS: libc::c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;

fn checked(address: *mut libc::c_void) -> io::Result<usize> {
    if address == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    Ok(address.expose_provenance())
}

fn at(address: usize) -> *mut libc::c_void {
    ptr::with_exposed_provenance_mut(address)
}

/// Reserves inaccessible address space at exactly `address`, if all of it is free.
pub(super) fn reserve_at(address: usize, bytes: usize) -> io::Result<()> {
    let flags = RESERVE_FLAGS | libc::MAP_FIXED_NOREPLACE;
    // SAFETY: MAP_FIXED_NOREPLACE never touches an existing mapping.
    let got = unsafe { libc::mmap(at(address), bytes, libc::PROT_NONE, flags, -1, 0) };
    let got = checked(got)?;
    if got == address {
        return Ok(());
    }
    // A kernel older than 4.17 takes the address as a hint.
    release(got, bytes)?;
    Err(io::Error::from_raw_os_error(libc::EEXIST))
}

/// Reserves inaccessible address space wherever the system has room.
pub(super) fn reserve(bytes: usize) -> io::Result<usize> {
    // SAFETY: without MAP_FIXED the system picks unused address space.
    let got = unsafe { libc::mmap(at(0), bytes, libc::PROT_NONE, RESERVE_FLAGS, -1, 0) };
    checked(got)
}

/// Gives back address space that `reserve` or `map` returned and nothing uses any more.
pub(super) fn release(address: usize, bytes: usize) -> io::Result<()> {
    // SAFETY: the callers in this module tree own the range and hold no pointer into it.
    let status = unsafe { libc::munmap(at(address), bytes) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Drops whatever is mapped in a reserved range and makes the range inaccessible again.
///
/// # Safety
///
/// The caller owns the range and nothing holds a reference into it.
pub(super) unsafe fn scrub(address: usize, bytes: usize) -> io::Result<()> {
    let flags = RESERVE_FLAGS | libc::MAP_FIXED;
    // SAFETY: the range is the caller's, by this function's contract.
    let got = unsafe { libc::mmap(at(address), bytes, libc::PROT_NONE, flags, -1, 0) };
    checked(got).map(|_| ())
}

/// Changes what code may do with a range of pages.
///
/// # Safety
///
/// The caller owns the range, and no reference contradicts the new protection.
pub(super) unsafe fn protect(
    address: usize,
    bytes: usize,
    protection: Protection,
) -> io::Result<()> {
    // SAFETY: the range is the caller's, by this function's contract.
    let status = unsafe { libc::mprotect(at(address), bytes, protection.flags()) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Makes a range of pages inaccessible.
///
/// # Safety
///
/// The caller owns the range and nothing holds a reference into it.
pub(super) unsafe fn forbid(address: usize, bytes: usize) -> io::Result<()> {
    // SAFETY: the range is the caller's, by this function's contract.
    let status = unsafe { libc::mprotect(at(address), bytes, libc::PROT_NONE) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Maps anonymous memory that can be read and written.
pub(super) fn map(bytes: usize) -> io::Result<usize> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    let protection = Protection::ReadWrite.flags();
    // SAFETY: without MAP_FIXED the system picks unused address space.
    let got = unsafe { libc::mmap(at(0), bytes, protection, flags, -1, 0) };
    checked(got)
}

/// Creates a file of `bytes` zero bytes that exists only in memory and has no path.
pub(super) fn memory_file(name: &CStr, bytes: usize) -> io::Result<OwnedFd> {
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    // Some systems refuse a file that could be executed as a program, which this never is; those
    // before Linux 6.3 do not know how to say so.
    let file = match create_memory_file(name, flags | libc::MFD_NOEXEC_SEAL) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            create_memory_file(name, flags)?
        }
        created => created?,
    };
    let length =
        libc::off_t::try_from(bytes).map_err(|_| io::Error::from_raw_os_error(libc::EFBIG))?;
    // SAFETY: plain call on a descriptor we own.
    let status = unsafe { libc::ftruncate(file.as_raw_fd(), length) };
    if status == 0 {
        Ok(file)
    } else {
        Err(io::Error::last_os_error())
    }
}

fn create_memory_file(name: &CStr, flags: libc::c_uint) -> io::Result<OwnedFd> {
    // SAFETY: the name is a C string and the flags are valid for memfd_create.
    let raw = unsafe { libc::memfd_create(name.as_ptr(), flags) };
    if raw < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `raw` is a new descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// What nobody can do to a memory file any more, whatever descriptors or mappings of it they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seal {
    /// Change its size: a file that cannot shrink cannot turn an access into SIGBUS.
    Size,
    /// Change its size or its bytes.
    Contents,
}

/// Seals a memory file for good; fails if somebody has a writable mapping of what is sealed.
pub(super) fn seal(file: BorrowedFd<'_>, seal: Seal) -> io::Result<()> {
    let size = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
    let seals = match seal {
        Seal::Size => size,
        Seal::Contents => size | libc::F_SEAL_WRITE,
    };
    // SAFETY: plain call on a descriptor that is open.
    let status = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Maps a whole file, shared, wherever the system has room.
pub(super) fn map_file(
    file: BorrowedFd<'_>,
    bytes: usize,
    protection: Protection,
) -> io::Result<usize> {
    let flags = protection.flags();
    // SAFETY: without MAP_FIXED the system picks unused address space.
    let got = unsafe { libc::mmap(at(0), bytes, flags, libc::MAP_SHARED, file.as_raw_fd(), 0) };
    checked(got)
}

/// Maps part of a file over a range of reserved address space; what is written there stays there.
///
/// # Safety
///
/// The caller owns the range and nothing holds a reference into it.
pub(super) unsafe fn map_file_privately_at(
    address: usize,
    bytes: usize,
    file: BorrowedFd<'_>,
    offset: usize,
    protection: Protection,
) -> io::Result<()> {
    // Without MAP_NORESERVE parts that were once writable would not merge with those that never
    // were, though all are mapped alike.
    let flags = libc::MAP_PRIVATE | libc::MAP_FIXED | libc::MAP_NORESERVE;
    let offset =
        libc::off_t::try_from(offset).map_err(|_| io::Error::from_raw_os_error(libc::EFBIG))?;
    // SAFETY: the range is the caller's, by this function's contract.
    let got = unsafe {
        libc::mmap(
            at(address),
            bytes,
            protection.flags(),
            flags,
            file.as_raw_fd(),
            offset,
        )
    };
    checked(got).map(|_| ())
}

/// Makes private pages what they were when they were mapped, and gives back their memory.
///
/// # Safety
///
/// The caller owns the range, which is mapped privately, and nothing holds a reference into it.
pub(super) unsafe fn discard(address: usize, bytes: usize) -> io::Result<()> {
    // SAFETY: the range is the caller's, by this function's contract.
    let status = unsafe { libc::madvise(at(address), bytes, libc::MADV_DONTNEED) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Maps a whole file, shared and read-only, over a range of reserved address space.
///
/// # Safety
///
/// The caller owns the range and nothing holds a reference into it.
pub(super) unsafe fn map_file_read_only_at(
    address: usize,
    file: BorrowedFd<'_>,
    bytes: usize,
) -> io::Result<()> {
    let flags = libc::MAP_SHARED | libc::MAP_FIXED;
    // SAFETY: the range is the caller's, by this function's contract.
    let got = unsafe {
        libc::mmap(
            at(address),
            bytes,
            libc::PROT_READ,
            flags,
            file.as_raw_fd(),
            0,
        )
    };
    checked(got).map(|_| ())
}

/// `membarrier` command: the calling process will use the expedited barrier.
const MEMBARRIER_REGISTER: libc::c_int = 1 << 4;
/// `membarrier` command: every running thread of this process passes a full barrier.
const MEMBARRIER_EXPEDITED: libc::c_int = 1 << 3;

fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: membarrier reads no memory of ours.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

/// Registers the process for [`barrier_all_threads`]; false where the system has no such call.
pub(super) fn register_barrier() -> bool {
    membarrier(MEMBARRIER_REGISTER)
}

/// Makes every running thread of the process pass a full memory barrier.
pub(super) fn barrier_all_threads() -> bool {
    membarrier(MEMBARRIER_EXPEDITED)
}

/// Returns the identifier of the calling thread, as `tgkill` takes it.
pub(super) fn thread_id() -> libc::pid_t {
    // SAFETY: gettid has no preconditions.
    unsafe { libc::gettid() }
}

/// Returns the clock of the processor time that the calling thread used.
pub(super) fn thread_clock() -> io::Result<libc::clockid_t> {
    let mut clock = 0;
    // SAFETY: pthread_self has no preconditions.
    let thread = unsafe { libc::pthread_self() };
    // SAFETY: the thread is alive, being the caller; the call writes one clock number.
    let status = unsafe { libc::pthread_getcpuclockid(thread, &raw mut clock) };
    if status == 0 {
        Ok(clock)
    } else {
        Err(io::Error::from_raw_os_error(status))
    }
}

/// Reads a clock that [`thread_clock`] returned; `None` if its thread is gone.
pub(super) fn read_thread_clock(clock: libc::clockid_t) -> Option<Duration> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call writes one timespec.
    let status = unsafe { libc::clock_gettime(clock, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let nanos = u32::try_from(time.tv_nsec).ok()?;
    (status == 0).then(|| Duration::new(seconds, nanos))
}

/// Sends `signal` to one thread of this process.
pub(super) fn signal_thread(thread: libc::pid_t, signal: libc::c_int) -> io::Result<()> {
    // SAFETY: getpid has no preconditions.
    let process = unsafe { libc::getpid() };
    // SAFETY: tgkill reads no memory of ours; the signal's handler is installed by the engine.
    let status = unsafe { libc::syscall(libc::SYS_tgkill, process, thread, signal) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Has every later fork call these functions on the thread that forks.
pub(super) fn at_fork(
    before: extern "C" fn(),
    in_parent: extern "C" fn(),
    in_child: extern "C" fn(),
) -> io::Result<()> {
    // SAFETY: the functions have no preconditions and live as long as the process.
    let status = unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(status))
    }
}

/// `arch_prctl` code that sets the `%gs` base.
const ARCH_SET_GS: libc::c_int = 0x1001;
/// `arch_prctl` code that reports whether a shadow stack is on.
const ARCH_SHSTK_STATUS: libc::c_int = 0x5005;
/// Bit of [`ARCH_SHSTK_STATUS`]: returns are compared with a shadow stack.
const SHADOW_STACK_ON: u64 = 1;

/// Sets the `%gs` base of the calling thread with a system call.
pub(super) fn set_gs_base(base: u64) -> io::Result<()> {
    // SAFETY: nothing on x86-64 Linux but this crate uses %gs in user mode.
    let status = unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_SET_GS, base) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Returns whether the processor compares returns of this thread with a shadow stack.
pub(super) fn shadow_stack_on() -> bool {
    let mut status = 0_u64;
    // SAFETY: the kernel writes one u64 through the pointer; old kernels fail with EINVAL.
    let result = unsafe {
        libc::syscall(
            libc::SYS_arch_prctl,
            ARCH_SHSTK_STATUS,
            ptr::from_mut(&mut status),
        )
    };
    result == 0 && status & SHADOW_STACK_ON != 0
}

/// Argument of `personality` that only asks.
const PERSONALITY_ASK: libc::c_ulong = 0xffff_ffff;

/// Returns whether the system makes executable whatever is readable, or does not say.
///
/// Linux before 5.8 does so for programs whose stack is executable, and any program can ask for it.
pub(super) fn readable_is_executable() -> bool {
    // SAFETY: only asks.
    let personality = unsafe { libc::personality(PERSONALITY_ASK) };
    personality < 0 || personality & libc::READ_IMPLIES_EXEC != 0
}

/// Bit of `AT_HWCAP2`: user mode may execute `wrgsbase`.
const HWCAP2_FSGSBASE: u64 = 1 << 1;

/// Returns whether user mode may execute `wrgsbase`.
pub(super) fn has_fsgsbase() -> bool {
    // SAFETY: getauxval has no preconditions.
    unsafe { libc::getauxval(libc::AT_HWCAP2) & HWCAP2_FSGSBASE != 0 }
}

/// Returns whether AMD made the processor.
pub(super) fn is_amd() -> bool {
    let (b, c, d): (u32, u32, u32);
    // SAFETY: `cpuid` exists on every x86-64 processor; %rbx, which the compiler keeps, is
    // restored.
    unsafe {
        asm!(
            "movq %rbx, {b:r}",
            "cpuid",
            "xchgq %rbx, {b:r}",
            b = out(reg) b,
            inout("eax") 0 => _,
            out("ecx") c,
            out("edx") d,
            options(att_syntax, nostack, nomem, preserves_flags),
        );
    }
    [b, d, c].map(u32::to_le_bytes).as_flattened() == b"AuthenticAMD"
}
