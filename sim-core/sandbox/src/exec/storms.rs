//! Tests in which signals arrive at every moment of an entry, and floating-point modes are odd.

use std::arch::asm;
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::SandboxAddr;
use super::engine::Engine;
use super::fault::FaultKind;
use super::host::{GraftMemory, Host, HostAbort, NoHost};
use super::instance::{Entry, Instance};
use super::sys;
use super::tests::{alone, load_source};

const SOURCE: &str = "
        # Adds 1 to %rdi numbers, and %rsi, which waits in a vector register.
FUNCTION sum
        pushq %rbx
        movq %rdi, %rbx
        movq %rsi, %xmm7
        xorl %eax, %eax
1:      addq %rbx, %rax
        decq %rbx
        jne 1b
        movq %xmm7, %rcx
        addq %rcx, %rax
        popq %rbx
        RETURN
FUNCTION asks
        pushq %rdi
        DIRECT_CALL ask
        popq %rcx
        addq %rcx, %rax
        RETURN
FUNCTION illegal
        ud2
FUNCTION null
        xorl %eax, %eax
        movq %rax, %gs:(%eax)
        ud2
FUNCTION divides
        xorl %ecx, %ecx
        divl %ecx
        RETURN
FUNCTION no_number
        divss %xmm0, %xmm0
        RETURN
";

/// How many signals make a storm, and how long it may last.
const DISTURBANCES_WANTED: u64 = 3_000;
const PATIENCE: Duration = Duration::from_secs(60);

static DISTURBANCES: AtomicU64 = AtomicU64::new(0);

/// What a handler of an ordinary program may do: use vector registers and some stack, as little as
/// the signal stacks have that the standard library gives to threads without grafts.
extern "C" fn disturb(_: libc::c_int) {
    let numbers: [f64; 64] = std::array::from_fn(|index| black_box(index as f64).sqrt());
    black_box(numbers);
    DISTURBANCES.fetch_add(1, Ordering::Relaxed);
}

/// Runs another sandbox and calls the graft back, then answers.
struct Busy {
    other: Instance,
    sum: Entry,
    back: Entry,
}

impl Host for Busy {
    fn call(
        &mut self,
        memory: &mut GraftMemory<'_>,
        _: u32,
        args: &[u64; 6],
    ) -> Result<u64, HostAbort> {
        let seen = self.other.call(self.sum, &[3, args[0]], &mut NoHost);
        assert_eq!(seen.expect("returns"), 6 + args[0]);
        let seen = memory.call_back(self.back, &[4, args[0]], &mut NoHost);
        Ok(seen.expect("returns"))
    }
}

/// Sends a signal to this thread again and again, until the process ends.
fn start_timer(signal: libc::c_int, period_nanos: libc::c_long) {
    let mut event = MaybeUninit::<libc::sigevent>::zeroed();
    // SAFETY: all-zero is a valid sigevent.
    let event = unsafe { event.assume_init_mut() };
    event.sigev_notify = libc::SIGEV_THREAD_ID;
    event.sigev_signo = signal;
    event.sigev_notify_thread_id = sys::thread_id();
    let mut timer = ptr::null_mut();
    // SAFETY: the event is complete; the call writes one timer number.
    let made = unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, event, &raw mut timer) };
    let period = libc::timespec {
        tv_sec: 0,
        tv_nsec: period_nanos,
    };
    let times = libc::itimerspec {
        it_interval: period,
        it_value: period,
    };
    // SAFETY: the timer was just made.
    let set = unsafe { libc::timer_settime(timer, 0, &raw const times, ptr::null_mut()) };
    assert_eq!((made, set), (0, 0), "{}", std::io::Error::last_os_error());
}

fn words_of_the_stack(instance: &Instance) -> impl Iterator<Item = u64> + '_ {
    let stack = vino_abi::STACK_END - 16 * 4096..vino_abi::STACK_END;
    stack.step_by(8).map(|offset| {
        let addr = SandboxAddr::of_pointer(offset.into());
        instance.read_u64(addr).expect("the stack")
    })
}

/// Signals of the host, and of a deadline not due, hit stubs, gates, transfers and handlers.
#[test]
fn signals_at_every_moment_change_nothing() {
    if !alone("exec::storms::signals_at_every_moment_change_nothing") {
        return;
    }
    let handler: extern "C" fn(libc::c_int) = disturb;
    // SAFETY: the handler touches nothing but its stack and an atomic; entering the first graft
    // moves it to the signal stack.
    unsafe { libc::signal(libc::SIGALRM, handler as usize) };
    let engine = Engine::new().expect("this machine runs grafts");
    let mut instance = load_source(&engine, SOURCE);
    let entry = |name| instance.entry(name).expect("defined");
    let [sum, asks] = ["sum", "asks"].map(entry);
    let faults = [
        (entry("illegal"), FaultKind::IllegalInstruction),
        (entry("null"), FaultKind::NullAccess { write: true }),
        (entry("divides"), FaultKind::Arithmetic),
    ];
    let other = load_source(&engine, SOURCE);
    let other_sum = other.entry("sum").expect("defined");
    let mut host = Busy {
        other,
        sum: other_sum,
        back: sum,
    };
    let first = instance.call(sum, &[1, 0], &mut NoHost);
    assert_eq!(first.expect("returns"), 1);
    let deadline = engine.process().signals().deadline();
    // Of no common period with each other.
    start_timer(libc::SIGALRM, 31_000);
    start_timer(deadline, 47_123);
    let end = Instant::now() + PATIENCE;
    for n in 1_u64.. {
        if DISTURBANCES.load(Ordering::Relaxed) >= DISTURBANCES_WANTED {
            break;
        }
        assert!(Instant::now() < end, "the storm is too weak");
        // Small, so that no value looks like an address.
        let (length, value) = (n % 300 + 1, n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 36);
        let seen = instance.call(sum, &[length, value], &mut NoHost);
        assert_eq!(seen.expect("returns"), length * (length + 1) / 2 + value);
        let seen = instance.call(asks, &[value], &mut host);
        assert_eq!(seen.expect("returns"), 10 + 2 * value);
        let (entry, kind) = faults[usize::from(n.to_le_bytes()[0]) % faults.len()];
        let fault = instance.call(entry, &[], &mut NoHost);
        assert_eq!(fault.expect_err("faults").kind, kind);
    }
    for word in words_of_the_stack(&instance) {
        let inside = word >> 32 == 0 || word.wrapping_sub(instance.base()) < 1 << 32;
        assert!(inside, "{word:#x} on the graft's stack");
    }
}

/// A host that has its own divisions trap must not be taken for one that did.
#[test]
fn a_floating_point_trap_is_the_graft_s_and_the_host_s_modes_stay() {
    /// Every exception but that of an invalid operation is masked.
    const MODES: u32 = 0x1f00;
    /// The bits of MXCSR that are no exception flags.
    const NOT_FLAGS: u32 = !0x3f;
    let engine = Engine::new().expect("this machine runs grafts");
    let mut instance = load_source(&engine, SOURCE);
    let entry = instance.entry("no_number").expect("defined");
    let (mut before, mut after, modes) = (0_u32, 0_u32, MODES);
    // SAFETY: nothing between this and the restoration computes with floating-point numbers.
    unsafe { asm!("stmxcsr ({0})", in(reg) &raw mut before, options(att_syntax, nostack)) };
    // SAFETY: as above.
    unsafe { asm!("ldmxcsr ({0})", in(reg) &raw const modes, options(att_syntax, nostack)) };
    let ended = instance.call(entry, &[], &mut NoHost);
    // SAFETY: as above.
    unsafe { asm!("stmxcsr ({0})", in(reg) &raw mut after, options(att_syntax, nostack)) };
    // SAFETY: as above.
    unsafe { asm!("ldmxcsr ({0})", in(reg) &raw const before, options(att_syntax, nostack)) };
    let fault = ended.expect_err("0 / 0 is trapped");
    assert_eq!(fault.kind, FaultKind::Arithmetic);
    assert_eq!(after & NOT_FLAGS, MODES);
}
