//! What grafts see of each other, of the host, and of memory the host shares.

use std::sync::atomic::Ordering;

use vino_sandbox::{FaultKind, InstanceConfig, NoHost, SandboxAddr, SharedRegion};

use crate::fixture::{config, load, load_with, main_of, rerun_alone};

const READ_BASE: &str = "FUNCTION main\n movl $0x10000, %eax\n movq %gs:(%eax), %rax\n RETURN";

#[test]
fn two_sandboxes_on_one_thread_each_see_their_own_memory() {
    let (mut one, mut other) = (load(READ_BASE), load(READ_BASE));
    let (in_one, in_other) = (main_of(&one), main_of(&other));
    assert_ne!(one.base(), other.base());
    for _ in 0..10 {
        assert_eq!(
            one.call(in_one, &[], &mut NoHost).expect("returns"),
            one.base()
        );
        assert_eq!(
            other.call(in_other, &[], &mut NoHost).expect("returns"),
            other.base()
        );
    }
}

#[test]
fn an_instance_moves_between_threads() {
    let mut instance = load(READ_BASE);
    let entry = main_of(&instance);
    for _ in 0..3 {
        instance = std::thread::spawn(move || {
            let seen = instance.call(entry, &[], &mut NoHost).expect("returns");
            assert_eq!(seen, instance.base());
            instance
        })
        .join()
        .expect("no panic");
        assert_eq!(
            instance.call(entry, &[], &mut NoHost).expect("returns"),
            instance.base()
        );
    }
}

#[test]
fn a_view_shows_what_the_host_writes_and_cannot_be_written() {
    let small = SharedRegion::new(64).expect("memory");
    let large = SharedRegion::new(5000).expect("memory");
    let views = vec![small.clone(), large.clone()];
    let source = "FUNCTION main\n movl %gs:(%edi), %eax\n RETURN
        FUNCTION poke\n movl $1, %gs:(%edi)\n RETURN";
    let mut instance = load_with(source, &[], InstanceConfig { views, ..config() });
    let entry = main_of(&instance);
    let poke = instance.entry("poke").expect("defined");
    assert_eq!(instance.view_offset(0), 0xb000_0000);
    assert_eq!(instance.view_offset(1), 0xb000_1000);
    for (index, region) in [small, large].into_iter().enumerate() {
        let pointer = instance.base() + u64::from(instance.view_offset(index)) + 8;
        for value in [5, 6] {
            region.words()[2].store(value, Ordering::Relaxed);
            let seen = instance
                .call(entry, &[pointer], &mut NoHost)
                .expect("returns");
            assert_eq!(seen, u64::from(value));
        }
        let fault = instance
            .call(poke, &[pointer], &mut NoHost)
            .expect_err("read-only");
        assert_eq!(fault.kind, FaultKind::Memory { write: true });
        let addr = SandboxAddr::of_pointer(pointer);
        assert_eq!(instance.read_u32(addr), Some(6));
        assert!(instance.write_u32(addr, 7).is_err());
    }
}

#[test]
fn a_stack_holds_no_address_of_the_host() {
    // Everything that entries and gates left on the graft's stack, over many calls.
    let source = "FUNCTION main\n pushq %rax\n popq %rax\n RETURN";
    let mut instance = load(source);
    let entry = main_of(&instance);
    for _ in 0..10 {
        instance.call(entry, &[], &mut NoHost).expect("returns");
    }
    let base = instance.base();
    for offset in (0x200f_0000..0x2010_0000_u64).step_by(8) {
        let word = instance
            .read_u64(SandboxAddr::of_pointer(offset))
            .expect("stack");
        let inside = word == 0 || word.wrapping_sub(base) < 1 << 32;
        assert!(inside, "{word:#x} at {offset:#x}");
    }
}

#[expect(unconditional_recursion, reason = "it is what the test is about")]
fn recurse(depth: u64) -> u64 {
    std::hint::black_box([depth; 64]);
    recurse(depth + 1) + 1
}

/// A fault of the host is none of ours: it reaches the handler that was there before.
#[test]
fn a_host_that_overflows_its_own_stack_still_gets_rust_s_message() {
    let name = "isolation::a_host_that_overflows_its_own_stack_still_gets_rust_s_message";
    let Some(output) = rerun_alone(name) else {
        let mut instance = load("FUNCTION main\n movl $4, %eax\n RETURN");
        let entry = main_of(&instance);
        assert_eq!(instance.call(entry, &[], &mut NoHost).expect("returns"), 4);
        println!("{}", recurse(0));
        return;
    };
    assert!(!output.status.success());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("has overflowed its stack"), "{stderr}");
}
