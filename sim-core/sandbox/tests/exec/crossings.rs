//! Invocations that cross threads, sandboxes and panics, and slots that are used again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use vino_sandbox::{
    Entry, FaultKind, GraftFault, GraftMemory, Host, HostAbort, Instance, InstanceConfig,
    NESTING_MAX, NoHost, SandboxAddr,
};

use crate::fixture::{With, config, load_with, main_of, pass_alone};

const PAGE: u32 = 4096;

const SOURCE: &str = "FUNCTION main
        pushq %rdi
        DIRECT_CALL ask
        popq %rcx
        addq %rcx, %rax
        RETURN
FUNCTION base
        movl $0x10000, %eax
        movq %gs:(%eax), %rax
        RETURN
FUNCTION null
        xorl %eax, %eax
        movl %eax, %gs:(%eax)
        RETURN
FUNCTION endless
1:      jmp 1b";

fn entry(instance: &Instance, name: &str) -> Entry {
    instance.entry(name).expect("defined")
}

/// A graft's memory is plain data to the host, which may hand it to another thread.
#[test]
fn a_graft_is_called_back_on_another_thread_than_it_waits_on() {
    let hasty = InstanceConfig {
        deadline: Duration::from_millis(20),
        ..config()
    };
    let mut instance = load_with(SOURCE, &["ask"], hasty);
    let base = instance.base();
    let [back, null, endless] = ["base", "null", "endless"].map(|name| entry(&instance, name));
    let mut host = With(|memory: &mut GraftMemory<'_>, _, _: &[u64; 6]| {
        let mut elsewhere = |function| -> Result<u64, GraftFault> {
            let memory = &mut *memory;
            let call = move || memory.call_back(function, &[], &mut NoHost);
            thread::scope(|scope| scope.spawn(call).join()).expect("no panic")
        };
        assert_eq!(elsewhere(back).expect("returns"), base);
        let kind = |ended: Result<u64, GraftFault>| ended.expect_err("ends early").kind;
        assert_eq!(kind(elsewhere(null)), FaultKind::NullAccess { write: true });
        assert_eq!(kind(elsewhere(endless)), FaultKind::Deadline);
        assert_eq!(elsewhere(back).expect("returns"), base);
        Ok(5)
    });
    let main = main_of(&instance);
    let seen = instance.call(main, &[7], &mut host);
    assert_eq!(seen.expect("the one that waits goes on"), 12);
}

/// Calls its graft back until that is refused, and then panics.
struct Diving {
    main: Entry,
    deepest: usize,
}

impl Host for Diving {
    fn call(
        &mut self,
        memory: &mut GraftMemory<'_>,
        _: u32,
        args: &[u64; 6],
    ) -> Result<u64, HostAbort> {
        self.deepest += 1;
        match memory.call_back(self.main, &[args[0] + 1], self) {
            Err(fault) if fault.kind == FaultKind::TooDeep => panic!("as deep as it goes"),
            other => panic!("{other:?}"),
        }
    }
}

/// A watch slot that a panic lost would make the next dive shorter.
#[test]
fn a_panic_through_every_nested_invocation_loses_none_of_them() {
    let mut instance = load_with(SOURCE, &["ask"], config());
    let main = main_of(&instance);
    for _ in 0..20 {
        let mut host = Diving { main, deepest: 0 };
        let dive = || instance.call(main, &[0], &mut host);
        let panic = catch_unwind(AssertUnwindSafe(dive)).expect_err("panics");
        let text = panic.downcast_ref::<&str>();
        assert_eq!(text, Some(&"as deep as it goes"));
        assert_eq!(host.deepest, NESTING_MAX);
    }
    let seen = instance.call(
        main,
        &[7],
        &mut With(|_: &mut GraftMemory<'_>, _, _: &_| Ok(5)),
    );
    assert_eq!(seen.expect("returns"), 12);
}

/// Sandboxes change hands at one base while other threads still have it in `%gs`.
#[test]
fn a_base_that_is_used_again_shows_nothing_of_before() {
    if pass_alone("crossings::a_base_that_is_used_again_shows_nothing_of_before") {
        return;
    }
    let heap = InstanceConfig {
        heap_bytes: PAGE,
        heap_bytes_max: 16 * PAGE,
        ..config()
    };
    let source = "FUNCTION main
        movl %edi, %eax
        xchgq %rsi, %gs:(%eax)
        movq %rsi, %rax
        RETURN";
    let mut base = None;
    for round in 1..50 {
        let hint = InstanceConfig {
            base_hint: base,
            ..heap.clone()
        };
        let mut instance = load_with(source, &[], hint);
        assert_eq!(*base.get_or_insert(instance.base()), instance.base());
        instance.grow_heap(15 * PAGE).expect("within the limit");
        let main = main_of(&instance);
        let writable = vino_abi::STACK_END - 4 * PAGE..instance.heap().end;
        // Its own stack holds return addresses where the first entry pushed them.
        let fresh = |addr: u32| !(vino_abi::STACK_END - 64..vino_abi::STACK_END).contains(&addr);
        for addr in writable.step_by(512).filter(|addr| fresh(*addr)) {
            let exchanged = instance.call(main, &[addr.into(), round], &mut NoHost);
            assert_eq!(
                exchanged.expect("writable"),
                0,
                "{addr:#x} in round {round}"
            );
        }
        let moved = thread::spawn(move || {
            let addr = SandboxAddr::of_pointer(vino_abi::ARGUMENTS_OFFSET.into());
            assert_eq!(instance.read_u64(addr), Some(round));
            let seen = instance.call(main, &[vino_abi::ARGUMENTS_OFFSET.into(), 0], &mut NoHost);
            assert_eq!(seen.expect("writable"), round);
        });
        moved.join().expect("no panic");
    }
}
