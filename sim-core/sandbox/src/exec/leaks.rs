//! What registers carry over the border, in both directions: nothing but arguments and results.
//!
//! The host fills its registers with one pattern before it calls, and before a host function
//! returns; the graft stores all of its registers where it starts and where it goes on, fills them
//! with another pattern, and leaves. Tests of the crate itself, since only these may look at the
//! host's registers.

use std::arch::asm;
use std::hint::black_box;
use std::is_x86_feature_detected;

use super::SandboxAddr;
use super::engine::Engine;
use super::host::{GraftMemory, Host, HostAbort};
use super::instance::Instance;
use super::tests::load_source;

/// What the host leaves in its registers.
const HOSTS: u64 = 0x5ec2_e75e_c2e7_5ec2;
/// What the graft leaves in its registers.
const GRAFTS: u64 = 0x6a4f_7bad_6a4f_7bad;
/// What the host function returns.
const ANSWER: u64 = 7;

/// General-purpose registers but `%rsp` and `%r11`, then vector registers of four words.
const GENERAL: usize = 14;
const VECTORS: usize = 16;
const WORDS: usize = GENERAL + 4 * VECTORS;
/// Where `%rax` is among the general ones, and where those start that calls preserve.
const RAX: usize = 0;
const PRESERVED: usize = 8;
const NAMES: [&str; GENERAL] = [
    "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "rbx", "rbp", "r12", "r13", "r14", "r15",
];

/// Stores all registers twice, at the start and after a host function, and leaves them filled.
fn source() -> String {
    let dump = |place: &str| {
        let general = NAMES.iter().enumerate();
        let general =
            general.map(|(at, name)| format!(" movq %{name}, {place}+{}(%rip)\n", 8 * at));
        let vector = |at| 8 * GENERAL + 32 * at;
        let vectors =
            (0..VECTORS).map(|at| format!(" vmovups %ymm{at}, {place}+{}(%rip)\n", vector(at)));
        general.chain(vectors).collect::<String>()
    };
    let general = NAMES
        .iter()
        .map(|name| format!(" movabsq ${GRAFTS}, %{name}\n"));
    let vectors = (0..VECTORS).map(|at| format!(" vmovups pattern(%rip), %ymm{at}\n"));
    let fill: String = general.chain(vectors).collect();
    let (start, after) = (dump("dump"), dump("dump+1024"));
    format!(
        "
        .data
        .balign 32
pattern: .quad {GRAFTS}, {GRAFTS}, {GRAFTS}, {GRAFTS}
        .local dump
        .comm dump, 2048, 32
        .text
FUNCTION main
        pushq %rbp
{start}{fill}
        DIRECT_CALL ask
{after}{fill}
        popq %rcx
        leaq dump(%rip), %rax
        movabsq ${GRAFTS}, %rcx
        RETURN
FUNCTION divide
        movl $3, %eax
        cvtsi2sdl %eax, %xmm0
        movl $1, %eax
        cvtsi2sdl %eax, %xmm1
        divsd %xmm0, %xmm1
        cvttsd2si %xmm1, %eax
        RETURN
"
    )
}

/// Fills every register that the compiler lets go of.
#[inline(always)]
fn fill_registers() {
    // SAFETY: changes registers only, and says which; callers found AVX.
    unsafe {
        asm!(
            "vmovq %rax,%xmm0",
            "vpunpcklqdq %xmm0,%xmm0,%xmm0",
            "vinsertf128 $1,%xmm0,%ymm0,%ymm0",
            "vmovaps %ymm0,%ymm1", "vmovaps %ymm0,%ymm2", "vmovaps %ymm0,%ymm3",
            "vmovaps %ymm0,%ymm4", "vmovaps %ymm0,%ymm5", "vmovaps %ymm0,%ymm6",
            "vmovaps %ymm0,%ymm7", "vmovaps %ymm0,%ymm8", "vmovaps %ymm0,%ymm9",
            "vmovaps %ymm0,%ymm10", "vmovaps %ymm0,%ymm11", "vmovaps %ymm0,%ymm12",
            "vmovaps %ymm0,%ymm13", "vmovaps %ymm0,%ymm14", "vmovaps %ymm0,%ymm15",
            inlateout("rax") HOSTS => _, inlateout("rcx") HOSTS => _, inlateout("rdx") HOSTS => _,
            inlateout("rsi") HOSTS => _, inlateout("rdi") HOSTS => _, inlateout("r8") HOSTS => _,
            inlateout("r9") HOSTS => _, inlateout("r10") HOSTS => _, inlateout("r12") HOSTS => _,
            inlateout("r13") HOSTS => _, inlateout("r14") HOSTS => _, inlateout("r15") HOSTS => _,
            out("ymm0") _, out("ymm1") _, out("ymm2") _, out("ymm3") _,
            out("ymm4") _, out("ymm5") _, out("ymm6") _, out("ymm7") _,
            out("ymm8") _, out("ymm9") _, out("ymm10") _, out("ymm11") _,
            out("ymm12") _, out("ymm13") _, out("ymm14") _, out("ymm15") _,
            options(att_syntax, nostack, nomem, preserves_flags),
        );
    }
}

/// What the host finds in its registers.
#[derive(Clone)]
struct Seen {
    words: [u64; WORDS],
    flags: u64,
}

impl Seen {
    const fn new() -> Self {
        Self {
            words: [0; WORDS],
            flags: 0,
        }
    }

    fn count(&self, pattern: u64) -> usize {
        self.words.iter().filter(|word| **word == pattern).count()
    }
}

/// Stores every register but `%rsp` and `%r11`, and the flags.
#[inline(always)]
fn look_at_registers(seen: &mut Seen) {
    let words: *mut u64 = seen.words.as_mut_ptr();
    let flags: u64;
    // SAFETY: stores WORDS words to where that many are.
    unsafe {
        asm!(
            "movq %rax,(%r11)", "movq %rcx,8(%r11)", "movq %rdx,16(%r11)",
            "movq %rsi,24(%r11)", "movq %rdi,32(%r11)", "movq %r8,40(%r11)",
            "movq %r9,48(%r11)", "movq %r10,56(%r11)", "movq %rbx,64(%r11)",
            "movq %rbp,72(%r11)", "movq %r12,80(%r11)", "movq %r13,88(%r11)",
            "movq %r14,96(%r11)", "movq %r15,104(%r11)",
            "vmovups %ymm0,112(%r11)", "vmovups %ymm1,144(%r11)", "vmovups %ymm2,176(%r11)",
            "vmovups %ymm3,208(%r11)", "vmovups %ymm4,240(%r11)", "vmovups %ymm5,272(%r11)",
            "vmovups %ymm6,304(%r11)", "vmovups %ymm7,336(%r11)", "vmovups %ymm8,368(%r11)",
            "vmovups %ymm9,400(%r11)", "vmovups %ymm10,432(%r11)", "vmovups %ymm11,464(%r11)",
            "vmovups %ymm12,496(%r11)", "vmovups %ymm13,528(%r11)", "vmovups %ymm14,560(%r11)",
            "vmovups %ymm15,592(%r11)",
            "pushfq",
            "popq %r11",
            inlateout("r11") words => flags,
            options(att_syntax),
        );
    }
    seen.flags = flags;
}

/// Fills its registers and answers, or ends the invocation.
struct Filling {
    abort: bool,
}

impl Host for Filling {
    #[inline(never)]
    fn call(&mut self, _: &mut GraftMemory<'_>, _: u32, _: &[u64; 6]) -> Result<u64, HostAbort> {
        if self.abort {
            return Err(HostAbort(1));
        }
        fill_registers();
        Ok(ANSWER)
    }
}

fn load() -> Option<Instance> {
    if !is_x86_feature_detected!("avx") {
        println!("no AVX here; other tests look at the halves that there are");
        return None;
    }
    let engine = Engine::new().expect("this machine runs grafts");
    Some(load_source(&engine, &source()))
}

fn dumped(instance: &Instance, place: u64) -> Vec<u64> {
    let word = |at| instance.read_u64(SandboxAddr::of_pointer(place + 8 * at as u64));
    (0..WORDS).map(|at| word(at).expect("its data")).collect()
}

#[test]
fn what_is_filled_is_seen() {
    if load().is_none() {
        return;
    }
    let mut seen = Seen::new();
    fill_registers();
    look_at_registers(&mut seen);
    // All vectors, and what the compiler left alone of twelve general registers.
    assert!(seen.count(HOSTS) >= 4 * VECTORS + GENERAL / 2);
}

#[test]
fn a_graft_sees_no_register_of_the_host_at_its_start_nor_after_a_host_function() {
    let Some(mut instance) = load() else { return };
    let entry = instance.entry("main").expect("defined");
    let mut host = Filling { abort: false };
    // Twice, so that what a first call leaves somewhere would be seen by the second.
    for _ in 0..2 {
        fill_registers();
        let dump = instance.call(entry, &[], &mut host).expect("returns");
        assert_eq!(dumped(&instance, dump), vec![0; WORDS]);
        let mut expected = vec![0; WORDS];
        expected[RAX] = ANSWER;
        expected[PRESERVED..GENERAL].fill(GRAFTS);
        assert_eq!(dumped(&instance, dump + 1024), expected);
    }
}

#[test]
fn the_host_finds_nothing_of_the_graft_after_a_return_or_an_abort() {
    const TRAP: u64 = 1 << 8;
    const DIRECTION: u64 = 1 << 10;
    const NESTED_TASK: u64 = 1 << 14;
    const ALIGNMENT_CHECK: u64 = 1 << 18;
    let Some(mut instance) = load() else { return };
    let entry = instance.entry("main").expect("defined");
    for abort in [false, true] {
        let mut seen = Seen::new();
        let outcome = instance.call(entry, &[], &mut Filling { abort });
        look_at_registers(&mut seen);
        assert_eq!(outcome.is_err(), abort);
        // Made only now, so that it is in no register of the host's before.
        let pattern = !black_box(!GRAFTS);
        assert_eq!(seen.count(pattern), 0, "{:x?}", seen.words);
        let bad = TRAP | DIRECTION | NESTED_TASK | ALIGNMENT_CHECK;
        assert_eq!(seen.flags & bad, 0);
    }
}

fn floating_point_modes() -> u32 {
    /// Exceptions that happened; a graft may set them.
    const STATUS: u32 = 0x3f;
    let mut mxcsr = 0_u32;
    // SAFETY: stores the register's four bytes to where they belong.
    unsafe { asm!("stmxcsr ({})", in(reg) &raw mut mxcsr, options(att_syntax, nostack)) };
    mxcsr & !STATUS
}

#[test]
fn a_graft_that_computes_leaves_the_floating_point_modes() {
    let Some(mut instance) = load() else { return };
    let entry = instance.entry("divide").expect("defined");
    let before = floating_point_modes();
    let value = instance.call(entry, &[], &mut Filling { abort: true });
    assert_eq!(value.expect("returns"), 0);
    assert_eq!(floating_point_modes(), before);
}
