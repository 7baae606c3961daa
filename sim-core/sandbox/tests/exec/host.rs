//! What grafts can do through host functions, and host functions through grafts.

use std::panic::{self, AssertUnwindSafe};

use vino_sandbox::{
    FaultKind, GraftMemory, GraftSlice, HostAbort, Instance, NESTING_MAX, NoHost, SandboxAddr,
};

use crate::fixture::{With, config, load, load_with, main_of, words};

const CALLER: &str = "FUNCTION main\n subq $8, %rsp\n DIRECT_CALL ask\n addq $8, %rsp\n RETURN";

fn caller() -> Instance {
    load_with(CALLER, &["unused", "ask"], config())
}

#[test]
fn a_host_function_gets_six_arguments_and_gives_a_result() {
    let mut instance = caller();
    let entry = main_of(&instance);
    let mut seen = Vec::new();
    let mut host = With(|_: &mut GraftMemory<'_>, import, args: &[u64; 6]| {
        seen.push((import, *args));
        Ok(u64::MAX - 1)
    });
    let value = instance
        .call(entry, &[1, 2, 3, 4, 5, 6], &mut host)
        .expect("returns");
    assert_eq!(value, u64::MAX - 1);
    assert_eq!(seen, [(1, [1, 2, 3, 4, 5, 6])]);
}

#[test]
fn a_host_function_keeps_what_calls_keep_and_clears_the_rest() {
    let source = "
        .local dump
        .comm dump, 256, 16
FUNCTION main
        movq $11, %rbx
        movq $12, %rbp
        movq $13, %r12
        movq $14, %r13
        movq $15, %r14
        movq $16, %r15
        movq $17, %xmm3
        subq $8, %rsp
        DIRECT_CALL ask
        addq $8, %rsp
        movq %rbx, dump(%rip)
        movq %rbp, dump+8(%rip)
        movq %r12, dump+16(%rip)
        movq %r13, dump+24(%rip)
        movq %r14, dump+32(%rip)
        movq %r15, dump+40(%rip)
        movq %rcx, dump+48(%rip)
        movq %rdx, dump+56(%rip)
        movq %rsi, dump+64(%rip)
        movq %rdi, dump+72(%rip)
        movq %r8, dump+80(%rip)
        movq %r9, dump+88(%rip)
        movq %r10, dump+96(%rip)
        movups %xmm0, dump+104(%rip)
        movups %xmm3, dump+120(%rip)
        movups %xmm15, dump+136(%rip)
        leaq dump(%rip), %rax
        RETURN";
    let source = source.replace("movq $17, %xmm3", "movq %r15, %xmm3");
    let mut instance = load_with(&source, &["ask"], config());
    let entry = main_of(&instance);
    let mut host = With(|_: &mut GraftMemory<'_>, _, _: &[u64; 6]| Ok(0));
    let dump = instance
        .call(entry, &[1, 2, 3, 4, 5, 6], &mut host)
        .expect("returns");
    assert_eq!(words(&instance, dump, 6), [11, 12, 13, 14, 15, 16]);
    assert_eq!(words(&instance, dump + 48, 13), [0; 13]);
}

#[test]
fn a_host_function_can_end_the_invocation() {
    let mut instance = caller();
    let entry = main_of(&instance);
    let mut host = With(|_: &mut GraftMemory<'_>, _, _: &[u64; 6]| Err(HostAbort(42)));
    let fault = instance.call(entry, &[], &mut host).expect_err("aborted");
    assert_eq!(fault.kind, FaultKind::Aborted(42));
    assert_eq!(fault.symbol.as_deref(), Some("main+0x11"));
    let fault = instance
        .call(entry, &[], &mut NoHost)
        .expect_err("there is no host");
    assert_eq!(fault.kind, FaultKind::Aborted(NoHost::ABORT.0));
}

#[test]
fn a_panic_in_a_host_function_reaches_the_caller_and_leaves_the_instance_usable() {
    let mut instance = caller();
    let entry = main_of(&instance);
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
        let mut host = With(|_: &mut GraftMemory<'_>, _, _: &[u64; 6]| panic!("on purpose"));
        instance.call(entry, &[], &mut host)
    }));
    let payload = outcome.expect_err("panicked");
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"on purpose"));
    let mut host = With(|_: &mut GraftMemory<'_>, _, _: &[u64; 6]| Ok(3));
    assert_eq!(instance.call(entry, &[], &mut host).expect("returns"), 3);
}

#[test]
fn a_graft_cannot_call_what_it_does_not_import() {
    // Import 0 has an index, but the image does not name it: its gate is a trap.
    let source = "FUNCTION main
        pushq %rbx
        movl $0x11100, %eax
        CHECKED %eax, %rax
        call *%rax
        RETSITE
        DIRECT_CALL ask
        popq %rbx
        RETURN";
    let mut instance = load_with(source, &["unused", "ask"], config());
    let entry = main_of(&instance);
    let mut calls = 0;
    let mut host = With(|_: &mut GraftMemory<'_>, _, _: &[u64; 6]| {
        calls += 1;
        Ok(0)
    });
    let fault = instance
        .call(entry, &[], &mut host)
        .expect_err("not granted");
    assert_eq!((fault.kind, calls), (FaultKind::BadControlTransfer, 0));
}

#[test]
fn an_import_can_be_called_through_a_pointer() {
    let source = "FUNCTION main
        pushq %rbx
        movq ask@GOTPCREL(%rip), %rax
        CHECKED %eax, %rax
        call *%rax
        RETSITE
        popq %rbx
        RETURN";
    let mut instance = load_with(source, &["ask"], config());
    let entry = main_of(&instance);
    let mut host = With(|_: &mut GraftMemory<'_>, _, args: &[u64; 6]| Ok(args[0] + 1));
    assert_eq!(instance.call(entry, &[8], &mut host).expect("returns"), 9);
}

#[test]
fn claimed_memory_is_copied_when_it_is_there_and_refused_when_not() {
    let source = "
        .data
text:   .ascii \"graft\"
        .section .rodata
fixed:  .quad 9
        .text
FUNCTION main
        subq $8, %rsp
        leaq text(%rip), %rdi
        movl $5, %esi
        leaq fixed(%rip), %rdx
        DIRECT_CALL ask
        movl text(%rip), %eax
        addq $8, %rsp
        RETURN";
    let mut instance = load_with(source, &["ask"], config());
    let entry = main_of(&instance);
    let mut host = With(|memory: &mut GraftMemory<'_>, _, args: &[u64; 6]| {
        let text = GraftSlice::claim(args[0], args[1]).expect("inside");
        let mut copy = [0; 5];
        memory.read(text, &mut copy).expect("mapped");
        assert_eq!(&copy, b"graft");
        memory.write(text, b"HELLO").expect("writable");
        let fixed = SandboxAddr::of_pointer(args[2]);
        assert_eq!(memory.read_u64(fixed), Some(9));
        assert!(memory.write_u64(fixed, 1).is_err(), "read-only data stays");
        for nowhere in [0, 0x8fff_fffc, 0x8000_0ffc, 0xffff_fffc] {
            assert_eq!(
                memory.read_u64(SandboxAddr::of_pointer(nowhere)),
                None,
                "{nowhere:#x}"
            );
        }
        Ok(0)
    });
    let value = instance.call(entry, &[], &mut host).expect("returns");
    assert_eq!(value, u64::from(u32::from_le_bytes(*b"HELL")));
}

/// Counts down through the host: `main(n)` asks the host, which calls `main(n - 1)` back.
#[test]
fn a_host_function_can_call_the_graft_back() {
    let mut instance = load_with(
        "FUNCTION main
        pushq %rdi
        DIRECT_CALL ask
        popq %rdi
        addq %rdi, %rax
        RETURN",
        &["ask"],
        config(),
    );
    let entry = main_of(&instance);

    struct Down(vino_sandbox::Entry);
    impl vino_sandbox::Host for Down {
        fn call(
            &mut self,
            memory: &mut GraftMemory<'_>,
            _: u32,
            args: &[u64; 6],
        ) -> Result<u64, HostAbort> {
            let Some(next) = args[0].checked_sub(1) else {
                return Ok(0);
            };
            let entry = self.0;
            memory
                .call_back(entry, &[next], self)
                .map_err(|fault| match fault.kind {
                    FaultKind::TooDeep => HostAbort(1),
                    FaultKind::Aborted(code) => HostAbort(code + 1),
                    _ => HostAbort(0),
                })
        }
    }
    let value = instance
        .call(entry, &[20], &mut Down(entry))
        .expect("returns");
    assert_eq!(value, (1..=20).sum());
    // One more than the limit is refused, and every activation on the way out is told.
    let depth = NESTING_MAX as u64;
    let deepest = instance.call(entry, &[depth - 1], &mut Down(entry));
    assert_eq!(deepest.expect("just fits"), (1..depth).sum());
    let fault = instance
        .call(entry, &[depth], &mut Down(entry))
        .expect_err("too deep");
    assert_eq!(
        fault.kind,
        FaultKind::Aborted(u32::try_from(depth).expect("small"))
    );
    assert_eq!(
        instance
            .call(entry, &[3], &mut Down(entry))
            .expect("usable"),
        6
    );
}

#[test]
fn a_host_function_can_run_another_graft_and_its_fault_is_only_that_graft_s() {
    let mut outer = caller();
    let mut inner = load(
        "FUNCTION main\n movq %rdi, %rax\n RETURN
         FUNCTION bad\n xorl %eax, %eax\n movl $1, %gs:(%eax)\n RETURN",
    );
    let good = main_of(&inner);
    let bad = inner.entry("bad").expect("defined");
    let entry = main_of(&outer);
    let mut host = With(|_: &mut GraftMemory<'_>, _, args: &[u64; 6]| {
        let fault = inner.call(bad, &[], &mut NoHost).expect_err("misbehaves");
        assert_eq!(fault.kind, FaultKind::NullAccess { write: true });
        Ok(inner
            .call(good, &[args[0] * 2], &mut NoHost)
            .expect("returns"))
    });
    assert_eq!(outer.call(entry, &[21], &mut host).expect("returns"), 42);
}

#[test]
fn a_callback_on_a_stack_that_is_not_one_is_refused() {
    // The graft moves its stack into its data, where gates must not push.
    let source = "
        .local elsewhere
        .comm elsewhere, 4096, 16
FUNCTION main
        leaq elsewhere+4096(%rip), %rax
        movl %eax, %esp
        addq %gs:0x10000, %rsp
        DIRECT_CALL ask
        ud2
FUNCTION back
        RETURN";
    let mut instance = load_with(source, &["ask"], config());
    let entry = main_of(&instance);
    let back = instance.entry("back").expect("defined");
    let mut host = With(|memory: &mut GraftMemory<'_>, _, _: &[u64; 6]| {
        let fault = memory
            .call_back(back, &[], &mut NoHost)
            .expect_err("no stack");
        assert_eq!(fault.kind, FaultKind::StackOverflow);
        Err(HostAbort(9))
    });
    let fault = instance.call(entry, &[], &mut host).expect_err("aborted");
    assert_eq!(fault.kind, FaultKind::Aborted(9));
}

#[test]
fn a_host_function_that_returns_to_a_forged_address_traps_in_the_graft() {
    // A jump to the gate instead of a call: what lies on the stack is no return address.
    let source = "FUNCTION main
        pushq $0x1234
        jmp ask";
    let mut instance = load_with(source, &["ask"], config());
    let entry = main_of(&instance);
    let mut host = With(|_: &mut GraftMemory<'_>, _, _: &[u64; 6]| Ok(0));
    let fault = instance
        .call(entry, &[], &mut host)
        .expect_err("misbehaves");
    assert_eq!(fault.kind, FaultKind::BadControlTransfer);
    assert_eq!(
        fault.symbol.as_deref(),
        Some("the return from a host function")
    );
    assert_eq!(fault.registers.get("r11"), Some(0));
}
