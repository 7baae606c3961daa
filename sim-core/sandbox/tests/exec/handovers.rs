//! Panics through nested invocations, and sandboxes that threads hand to each other.

use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc;
use std::thread;

use vino_sandbox::{Entry, GraftMemory, Host, HostAbort, Instance, NoHost};

use crate::fixture::{config, load, load_with, main_of};

/// Calls its argument less one back, until that is zero.
const NESTING: &str = "FUNCTION main
        subq $8, %rsp
        DIRECT_CALL ask
        addq $8, %rsp
        RETURN";

/// Calls back; the innermost panics, and the level of `catches` takes that for an answer.
struct Nested {
    main: Entry,
    catches: u64,
}

impl Host for Nested {
    fn call(
        &mut self,
        memory: &mut GraftMemory<'_>,
        _: u32,
        args: &[u64; 6],
    ) -> Result<u64, HostAbort> {
        let n = args[0];
        assert!(n > 0, "on purpose");
        let main = self.main;
        let inner =
            panic::catch_unwind(AssertUnwindSafe(|| memory.call_back(main, &[n - 1], self)));
        match inner {
            Ok(value) => Ok(value.or(Err(HostAbort(1)))? + 1),
            Err(_) if n == self.catches => Ok(100),
            Err(payload) => panic::resume_unwind(payload),
        }
    }
}

#[test]
fn a_panic_in_a_callback_passes_every_level_up_to_the_one_that_catches_it() {
    let mut instance = load_with(NESTING, &["ask"], config());
    let main = main_of(&instance);
    // As often as would use up the levels that there may be, if a panic kept any.
    for _ in 0..2 * vino_sandbox::NESTING_MAX {
        let mut host = Nested { main, catches: 2 };
        let value = instance.call(main, &[4], &mut host);
        assert_eq!(value.expect("the second level answers"), 102);
        let mut host = Nested { main, catches: 99 };
        let call = AssertUnwindSafe(|| instance.call(main, &[4], &mut host));
        let payload = panic::catch_unwind(call).expect_err("nobody catches it");
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"on purpose"));
    }
}

/// Sandboxes that go round, and how often each does.
const HOPS: u64 = 400;
const THREADS: usize = 3;

/// Each thread calls two sandboxes by turns and passes them on, so that the base which a thread
/// remembers is stale in every way.
#[test]
fn sandboxes_by_turns_on_threads_by_turns_see_their_own_memory() {
    let source = "
        .local n
        .comm n, 8, 8
FUNCTION main
        leaq n(%rip), %rax
        addq %rdi, %gs:(%eax)
        movq %gs:(%eax), %rax
        RETURN";
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..THREADS)
        .map(|_| mpsc::channel::<[Instance; 2]>())
        .unzip();
    for sender in &senders {
        sender
            .send([load(source), load(source)])
            .expect("the receiver is there");
    }
    thread::scope(|scope| {
        for (index, receiver) in receivers.into_iter().enumerate() {
            let next = senders[(index + 1) % THREADS].clone();
            scope.spawn(move || {
                for hop in 1..=HOPS {
                    let mut pair = receiver.recv().expect("another thread passes it on");
                    for (amount, instance) in [1, 1000].into_iter().zip(&mut pair) {
                        let main = main_of(instance);
                        let sum = instance.call(main, &[amount], &mut NoHost);
                        assert_eq!(sum.expect("returns"), amount * hop);
                    }
                    // The last may find that the receiver is gone, which drops the sandboxes.
                    drop(next.send(pair));
                }
            });
        }
        drop(senders);
    });
}
