//! Control flow to every byte that a graft can name: only labels of code are ever arrived at.

use vino_sandbox::{FaultKind, NoHost, SandboxAddr};

use crate::fixture::{load, main_of};

const LABEL_BYTES: usize = 8;
const RETURN: [u8; LABEL_BYTES] = [0x0f, 0x1f, 0x84, 0x6d, 0, 0, 0, 0];
const TARGET: [u8; LABEL_BYTES] = [0x0f, 0x1f, 0x84, 0x6e, 0, 0, 0, 0];

/// Inside instructions, groups and checks, past a check, in data that looks like a label.
#[test]
fn no_byte_of_an_image_is_a_target_but_its_labels() {
    let source = "FUNCTION main
        pushq %rbx
        CHECKED %edi, %rdi
        call *%rdi
        RETSITE
        movl $1, %eax
        popq %rbx
        RETURN
FUNCTION back
        movq %rdi, (%rsp)
        RETURN
FUNCTION leaf
        movl $2, %eax
        RETURN
        .section .rodata
        .globl marks
marks:  TARGET
        RETSITE";
    let mut instance = load(source);
    let (main, base) = (main_of(&instance), instance.base());
    let [back, leaf] = ["back", "leaf"].map(|name| instance.entry(name).expect("defined"));
    let start = main.offset() & !0xfff;
    let (mut called, mut landed) = (0, 0);
    for page in [start, start + 0x1000] {
        for at in page..page + 0x180 {
            let mut bytes = [0; LABEL_BYTES];
            let addr = SandboxAddr::of_pointer(at.into());
            instance.read(addr, &mut bytes).expect("it is mapped");
            let in_text = page == start;
            for (entry, label) in [(main, TARGET), (back, RETURN)] {
                // A graft that calls itself with the same argument ends when its stack does.
                let outcome = instance.call(entry, &[base + u64::from(at)], &mut NoHost);
                if in_text && bytes == label {
                    called += u32::from(entry == main);
                    landed += u32::from(entry == back);
                    continue;
                }
                let fault = outcome.expect_err("nothing is there");
                assert_eq!(
                    fault.kind,
                    FaultKind::BadControlTransfer,
                    "{at:#x}: {fault}"
                );
            }
        }
    }
    assert_eq!((called, landed), (3, 1));
    assert_eq!(instance.call(leaf, &[], &mut NoHost).expect("returns"), 2);
}
