//! Tests of what only older processors and systems do.

use std::arch::asm;
use std::process::Command;

use super::engine::{Engine, process};
use super::entry::Clearing;
use super::error::EngineError;
use super::fault::FaultKind;
use super::host::{GraftMemory, Host, HostAbort, NoHost};
use super::instance::Instance;
use super::thread::{self, ThreadBlock};
use super::verified::VerifiedImage;
use super::{InstanceConfig, SandboxAddr};
use crate::image::{DecodedImage, Limits};
use crate::verify::Policy;

/// Keeps its second argument in a vector register over a host function, then faults if the third
/// argument asks for it.
const SOURCE: &str = "
        .local seen
        .comm seen, 32, 16
FUNCTION main
        movups %xmm9, seen(%rip)
        movq %rsi, %xmm9
        pushq %rdx
        DIRECT_CALL ask
        popq %rdx
        movups %xmm9, seen+16(%rip)
        testl %edx, %edx
        je 1f
        movl $1, %gs:(%edi)
1:      leaq seen(%rip), %rcx
        addq %rcx, %rax
        RETURN
";

fn load(engine: &Engine) -> Instance {
    load_source(engine, SOURCE)
}

pub(super) fn load_source(engine: &Engine, source: &str) -> Instance {
    let image = verified(engine, source);
    Instance::new(&image, InstanceConfig::default()).expect("a sandbox")
}

fn verified(engine: &Engine, source: &str) -> VerifiedImage {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (input, output) = (folder.path().join("graft.s"), folder.path().join("graft.o"));
    let prelude = include_str!("../../tests/exec/prelude.s");
    std::fs::write(&input, format!("{prelude}{source}")).expect("a file");
    let run = Command::new("as")
        .arg("-o")
        .arg(&output)
        .arg(&input)
        .status();
    assert!(run.expect("as runs").success());
    let object = std::fs::read(&output).expect("as wrote its output");
    let image = DecodedImage::decode(&object, &Limits::default()).expect("an object");
    let image = image.link(&mut |_| Some(0)).expect("one import");
    VerifiedImage::verify(engine, image, &Policy::default()).expect("verifies")
}

/// Set in a process that runs one test alone.
const ALONE: &str = "VINO_TEST_ALONE";

/// Runs a test again in a process of its own, where it must pass; true in that process.
pub(super) fn alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let run = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", test])
        .env(ALONE, "1")
        .output();
    let output = run.expect("the test runs again");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}: {text}", output.status);
    false
}

struct Echo;

impl Host for Echo {
    fn call(&mut self, _: &mut GraftMemory<'_>, _: u32, args: &[u64; 6]) -> Result<u64, HostAbort> {
        Ok(args[0])
    }
}

#[test]
fn a_processor_without_avx_runs_calls_host_functions_and_faults_alike() {
    let engine = Engine::new().expect("this machine runs grafts");
    let mut instance = load(&engine);
    let entry = instance.entry("main").expect("defined");
    instance.core_mut().clearing = Clearing::Sse;
    let noise: f64 = (1..100)
        .map(|n| f64::from(std::hint::black_box(n)).sqrt())
        .sum();
    let seen = instance
        .call(entry, &[5, u64::MAX], &mut Echo)
        .expect("returns")
        - 5;
    assert!(noise > 0.0);
    for offset in [0, 8, 16, 24] {
        let word = instance.read_u64(SandboxAddr::of_pointer(seen + offset));
        assert_eq!(word, Some(0), "a vector register is clear at {offset}");
    }
    let fault = instance
        .call(entry, &[0, 1, 1], &mut Echo)
        .expect_err("faults");
    assert_eq!(fault.kind, FaultKind::NullAccess { write: true });
}

/// Leaves a value of the host in every byte of the vector registers.
macro_rules! poison_vectors {
    () => {
        // SAFETY: changes nothing but vector registers, and says so.
        unsafe {
            asm!(
                "pcmpeqb %xmm0, %xmm0",
                "vinsertf128 $1, %xmm0, %ymm0, %ymm0",
                ".irp to,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
                "vmovaps %ymm0, %ymm\\to",
                ".endr",
                out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
                out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
                out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
                out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
                options(att_syntax, nostack, nomem, preserves_flags),
            );
        }
    };
}

/// Leaves values of the host in vector registers as it returns to the graft.
struct Poison;

impl Host for Poison {
    #[inline(always)]
    fn call(&mut self, _: &mut GraftMemory<'_>, _: u32, _: &[u64; 6]) -> Result<u64, HostAbort> {
        poison_vectors!();
        Ok(0)
    }
}

/// The only instruction that names a vector register stores one.
#[test]
fn no_value_of_the_host_is_in_a_vector_register_that_a_graft_can_read() {
    let engine = Engine::new().expect("this machine runs grafts");
    if !std::arch::is_x86_feature_detected!("avx") {
        return;
    }
    for (register, imports) in (0..16).flat_map(|register| [(register, false), (register, true)]) {
        let ask = if imports { "DIRECT_CALL ask" } else { "" };
        let source = format!(
            "        .local seen
        .comm seen, 32, 16
FUNCTION main
        pushq %rbx
        {ask}
        popq %rbx
        vmovups %ymm{register}, seen(%rip)
        leaq seen(%rip), %rax
        RETURN
FUNCTION unused
        DIRECT_CALL ask
"
        );
        let image = verified(&engine, &source);
        assert!(image.proof().names_vectors());
        let mut instance = Instance::new(&image, InstanceConfig::default()).expect("a sandbox");
        // Else a lack of clearing could not be seen.
        assert_eq!(instance.core_mut().clearing, engine.process().clearing());
        for clearing in [Clearing::Avx, Clearing::AvxClean] {
            instance.core_mut().clearing = clearing;
            let entry = instance.entry("main").expect("defined");
            poison_vectors!();
            let seen = instance.call(entry, &[], &mut Poison).expect("returns");
            let word = |index: u64| instance.read_u64(SandboxAddr::of_pointer(seen + 8 * index));
            assert_eq!([0, 1, 2, 3].map(word), [Some(0); 4], "{register} {imports}");
        }
    }
}

#[test]
fn no_value_of_a_graft_stays_in_a_vector_register_of_the_host() {
    const SECRET: u64 = 0x5ec2_e7ed_5ec2_e7ed;
    let engine = Engine::new().expect("this machine runs grafts");
    let source = "FUNCTION main
        movq %rdi, %xmm0
        movddup %xmm0, %xmm0
        .irp to,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
        movaps %xmm0, %xmm\\to
        .endr
        testl %esi, %esi
        je 1f
        movl $1, %gs:(%esi)
1:      RETURN
";
    let image = verified(&engine, source);
    let mut instance = Instance::new(&image, InstanceConfig::default()).expect("a sandbox");
    let entry = instance.entry("main").expect("defined");
    for (clearing, fault) in [
        (engine.process().clearing(), 0),
        (engine.process().clearing(), 1),
        (Clearing::Sse, 0),
    ] {
        instance.core_mut().clearing = clearing;
        let mut left = [0_u64; 32];
        let result = instance.call(entry, &[SECRET, fault], &mut NoHost);
        // SAFETY: stores the vector registers in an array that has room for them.
        unsafe {
            asm!(
                ".irp from,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
                "movups %xmm\\from, 16*\\from({0})",
                ".endr",
                in(reg) left.as_mut_ptr(),
                options(att_syntax, nostack, preserves_flags),
            );
        }
        assert_eq!(result.is_err(), fault == 1);
        assert!(!left.contains(&SECRET), "{clearing:?} {fault}: {left:x?}");
    }
}

#[test]
fn vector_registers_are_left_alone_for_a_graft_that_names_none() {
    let engine = Engine::new().expect("this machine runs grafts");
    let plain = "FUNCTION main\n movq %rdi, %rax\n shlxq %rdi, %rax, %rax\n RETURN\n";
    let image = verified(&engine, plain);
    assert!(!image.proof().names_vectors());
    assert_eq!(image.clearing(), Clearing::Nothing);
    let one = format!("{plain}\nFUNCTION unused\n pxor %xmm7, %xmm7\n RETURN\n");
    let image = verified(&engine, &one);
    assert!(image.proof().names_vectors());
    assert_eq!(image.clearing(), engine.process().clearing());
}

#[test]
fn the_base_is_set_with_and_without_the_instruction() {
    let engine = Engine::new().expect("this machine runs grafts");
    let words = [11_u64, 22];
    let block = ThreadBlock::of_this_thread();
    let can = process().is_some_and(|process| process.fsgsbase());
    for (index, fsgsbase) in [(0, false), (1, can)] {
        let base = std::ptr::from_ref(&words[index]) as u64;
        // SAFETY: the block is this thread's.
        unsafe { thread::set_gs_base(block, base, fsgsbase) };
        let read: u64;
        // SAFETY: %gs base is the address of a word that lives on.
        unsafe { asm!("movq %gs:0, {0}", out(reg) read, options(att_syntax, nostack, readonly)) };
        assert_eq!(read, words[index]);
    }
    assert_eq!(engine.notice().is_none(), can);
}

extern "C" fn ignore(_: libc::c_int) {}

#[test]
fn a_handler_of_somebody_else_is_moved_off_the_graft_s_stack() {
    let engine = Engine::new().expect("this machine runs grafts");
    let handler: extern "C" fn(libc::c_int) = ignore;
    // SAFETY: installs a handler that does nothing, for a signal that nothing here sends.
    unsafe { libc::signal(libc::SIGUSR2, handler as usize) };
    let thread = std::thread::spawn(move || thread::prepare(engine.process()).is_null());
    assert!(
        !thread.join().expect("no panic"),
        "the thread has watch slots"
    );
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: a null action only asks, and the kernel fills the structure.
    unsafe { libc::sigaction(libc::SIGUSR2, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: all-zero was a valid value before the call.
    let action = unsafe { action.assume_init() };
    assert_eq!(action.sa_sigaction, handler as usize);
    assert_ne!(action.sa_flags & libc::SA_ONSTACK, 0);
}

/// Runs `child` in a forked process, for at most ten seconds, and returns whether it said true.
fn in_forked(child: impl FnOnce() -> bool) -> bool {
    const PATIENCE_SECONDS: libc::c_uint = 10;
    // SAFETY: this process was started for one test, so nothing but the watchdog and a waiting main
    // thread runs beside the caller; neither holds a lock that the child needs.
    let process = unsafe { libc::fork() };
    if process == 0 {
        // SAFETY: the alarm ends the child if nothing else does.
        unsafe { libc::alarm(PATIENCE_SECONDS) };
        let said = child();
        // SAFETY: ends the child without the destructors of the parent.
        unsafe { libc::_exit(i32::from(!said)) };
    }
    assert!(process > 0, "fork: {}", std::io::Error::last_os_error());
    let mut status = 0;
    // SAFETY: waits for our own child and writes one number.
    let waited = unsafe { libc::waitpid(process, &raw mut status, 0) };
    waited == process && status == 0
}

/// A host that forks when it is called, and tells in which process it goes on.
struct Forking {
    in_child: bool,
}

impl Host for Forking {
    fn call(&mut self, _: &mut GraftMemory<'_>, _: u32, _: &[u64; 6]) -> Result<u64, HostAbort> {
        // SAFETY: as in `in_forked`.
        self.in_child = unsafe { libc::fork() } == 0;
        Ok(0)
    }
}

const LOOPS: &str = "
FUNCTION endless
1:      jmp 1b
FUNCTION asks
        subq $8, %rsp
        DIRECT_CALL ask
        jmp 1b
";

/// A graft that outlived its deadline only because the process forked would never be stopped.
#[test]
fn a_forked_process_keeps_deadlines_wherever_it_forked() {
    if !alone("exec::tests::a_forked_process_keeps_deadlines_wherever_it_forked") {
        return;
    }
    let engine = Engine::new().expect("this machine runs grafts");
    let mut instance = load_source(&engine, LOOPS);
    let [endless, asks] = ["endless", "asks"].map(|name| instance.entry(name).expect("defined"));
    let is_ended = |instance: &mut Instance| {
        let ended = instance.call(endless, &[], &mut Echo);
        ended.is_err_and(|fault| fault.kind == FaultKind::Deadline)
    };
    assert!(is_ended(&mut instance), "in the first process");
    assert!(in_forked(|| is_ended(&mut instance)), "in a child");
    let in_grandchild = in_forked(|| in_forked(|| is_ended(&mut instance)));
    assert!(in_grandchild, "in a child of a child that called nothing");
    let in_both = in_forked(|| is_ended(&mut instance) && in_forked(|| is_ended(&mut instance)));
    assert!(in_both, "in a child of a child with a watchdog");
    let in_thread = in_forked(|| {
        std::thread::scope(|scope| scope.spawn(|| is_ended(&mut instance)).join())
            .expect("no panic")
    });
    assert!(in_thread, "on another thread of a child");
    let in_host_function = in_forked(|| {
        let mut host = Forking { in_child: false };
        let ended = instance.call(asks, &[], &mut host);
        let late = ended.is_err_and(|fault| fault.kind == FaultKind::Deadline);
        // SAFETY: ends the innermost process; its parent tells on whether it was late itself.
        unsafe {
            if host.in_child {
                libc::_exit(i32::from(!late));
            }
        }
        let mut status = 0;
        // SAFETY: waits for the only child and writes one number.
        unsafe { libc::waitpid(-1, &raw mut status, 0) };
        late && status == 0
    });
    assert!(
        in_host_function,
        "in a child that forked in a host function"
    );
    assert!(is_ended(&mut instance), "in the first process, still");
}

/// Else a label in a graft's data would make code of what follows it.
#[test]
fn a_process_whose_data_is_executable_gets_no_engine() {
    if !alone("exec::tests::a_process_whose_data_is_executable_gets_no_engine") {
        return;
    }
    assert!(Engine::new().is_ok());
    let flag = libc::c_ulong::try_from(libc::READ_IMPLIES_EXEC).expect("a bit");
    // SAFETY: makes more memory executable in a process that ends after this test.
    assert!(unsafe { libc::personality(flag) } >= 0);
    let refused = Engine::new().expect_err("a graft could run its data");
    assert!(matches!(refused, EngineError::ReadableIsExecutable));
}
