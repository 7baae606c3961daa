//! How a graft that misbehaves ends, and what its author is told.

use vino_sandbox::{FaultKind, NoHost, SandboxAddr};

use crate::fixture::{fault, load, main_of};

/// Runs a graft's `main`, which must end early, and the same instance's `fine`, which must not.
fn kind(source: &str) -> FaultKind {
    let source = format!("{source}\nFUNCTION fine\n movl $7, %eax\n RETURN");
    let mut instance = load(&source);
    let entry = main_of(&instance);
    let fault = instance
        .call(entry, &[], &mut NoHost)
        .expect_err("the graft misbehaves");
    let fine = instance.entry("fine").expect("defined above");
    assert_eq!(
        instance.call(fine, &[], &mut NoHost).expect("still works"),
        7
    );
    fault.kind
}

#[test]
fn a_null_pointer_is_told_from_a_wild_one() {
    let null = "FUNCTION main\n xorl %eax, %eax\n movl $1, %gs:(%eax)\n RETURN";
    assert_eq!(kind(null), FaultKind::NullAccess { write: true });
    let field = "FUNCTION main\n xorl %eax, %eax\n movl %gs:24(%eax), %eax\n RETURN";
    assert_eq!(kind(field), FaultKind::NullAccess { write: false });
    let wild = "FUNCTION main\n movl $0x88000000, %eax\n movl $1, %gs:(%eax)\n RETURN";
    assert_eq!(kind(wild), FaultKind::Memory { write: true });
    let read = "FUNCTION main\n movl $0x7ffffff0, %eax\n movl %gs:(%eax), %eax\n RETURN";
    assert_eq!(kind(read), FaultKind::Memory { write: false });
}

#[test]
fn an_access_over_the_end_of_the_sandbox_hits_the_guard() {
    let source = "FUNCTION main\n movl $0xffffffff, %eax\n movq $1, %gs:(%eax)\n RETURN";
    assert_eq!(kind(source), FaultKind::Memory { write: true });
}

#[test]
fn code_gates_and_the_base_are_not_writable() {
    for offset in ["0x10000", "0x11000", "0x16000"] {
        let source = format!("FUNCTION main\n movl ${offset}, %eax\n movl $0, %gs:(%eax)\n RETURN");
        assert_eq!(kind(&source), FaultKind::Memory { write: true }, "{offset}");
    }
}

#[test]
fn a_null_function_pointer_is_a_null_call() {
    let source = "FUNCTION main
        pushq %rbx
        xorl %eax, %eax
        CHECKED %eax, %rax
        call *%rax
        RETSITE
        popq %rbx
        RETURN";
    assert_eq!(kind(source), FaultKind::NullCall);
}

#[test]
fn a_call_to_what_is_not_a_target_is_a_bad_control_transfer() {
    // To the middle of a function, to data that does not even exist, and to the exit gate.
    for target in ["main+8(%rip)", "0x300000(%rip)", "-0xe0000(%rip)"] {
        let source = format!(
            "FUNCTION main
        pushq %rbx
        leaq {target}, %rax
        CHECKED %eax, %rax
        call *%rax
        RETSITE
        popq %rbx
        RETURN"
        );
        let source = if target.starts_with("main") {
            source
        } else {
            source.replace(&format!("leaq {target}, %rax"), "movl $0x300000, %eax")
        };
        assert_eq!(kind(&source), FaultKind::BadControlTransfer, "{target}");
    }
}

#[test]
fn a_return_to_a_forged_address_is_a_bad_control_transfer() {
    // No label there; mapped, but data with a label; not mapped at all.
    let plain = "FUNCTION main\n movq $0x16004, (%rsp)\n RETURN";
    assert_eq!(kind(plain), FaultKind::BadControlTransfer);
    let label_in_data = "
        .data
lure:   .byte 0x0f, 0x1f, 0x84, 0x6d, 0, 0, 0, 0
        .text
FUNCTION main
        leaq lure(%rip), %rax
        movq %rax, (%rsp)
        RETURN";
    assert_eq!(kind(label_in_data), FaultKind::BadControlTransfer);
    let nowhere = "FUNCTION main\n movq $0x300000, (%rsp)\n RETURN";
    assert_eq!(kind(nowhere), FaultKind::BadControlTransfer);
}

#[test]
fn a_return_to_the_exit_gate_from_a_deep_call_only_ends_the_invocation() {
    let source = "
deep:   TARGET
        movq 16(%rsp), %rax
        movq %rax, (%rsp)
        movl $5, %eax
        RETURN
FUNCTION main
        subq $8, %rsp
        DIRECT_CALL deep
        movl $6, %eax
        addq $8, %rsp
        RETURN";
    let mut instance = load(source);
    let entry = main_of(&instance);
    for _ in 0..3 {
        assert_eq!(instance.call(entry, &[], &mut NoHost).expect("returns"), 5);
    }
}

#[test]
fn endless_recursion_overflows_the_graft_s_stack_and_no_other() {
    let source = "FUNCTION main\n subq $56, %rsp\n DIRECT_CALL main\n addq $56, %rsp\n RETURN";
    assert_eq!(kind(source), FaultKind::StackOverflow);
}

#[test]
fn a_stack_pointer_anywhere_in_the_sandbox_is_the_graft_s_own_trouble() {
    for stack in ["$0", "$0x20000", "$0xfffffff8", "$0x30000000"] {
        let source = format!(
            "FUNCTION main
        movl {stack}, %eax
        movl %eax, %esp
        addq %gs:0x10000, %rsp
        pushq %rax
        RETURN"
        );
        let kind = kind(&source);
        let expected = [
            FaultKind::NullAccess { write: true },
            FaultKind::Memory { write: true },
        ];
        assert!(expected.contains(&kind), "{stack}: {kind}");
    }
}

#[test]
fn traps_of_the_processor_have_their_own_names() {
    assert_eq!(kind("FUNCTION main\n ud2"), FaultKind::IllegalInstruction);
    assert_eq!(kind("FUNCTION main\n int3"), FaultKind::IllegalInstruction);
    let divide = "FUNCTION main\n xorl %edx, %edx\n xorl %ecx, %ecx\n divl %ecx\n RETURN";
    assert_eq!(kind(divide), FaultKind::Arithmetic);
    let unaligned = "FUNCTION main
        movl $0x80000008, %eax
        movaps %xmm0, %gs:(%eax)
        RETURN";
    assert_eq!(kind(unaligned), FaultKind::Misaligned);
}

#[test]
fn a_fault_names_the_function_the_instruction_and_the_address() {
    let fault = fault("FUNCTION main\n movl $0x88000010, %ebx\n movl $1, %gs:(%ebx)\n RETURN");
    assert_eq!(fault.symbol.as_deref(), Some("main+0xd"));
    assert_eq!(fault.instruction, "movl $1,%gs:(%ebx)");
    let address = fault.address.expect("a page fault has one");
    assert_eq!(
        SandboxAddr::of_pointer(address),
        SandboxAddr::of_pointer(0x8800_0010)
    );
    assert_eq!(fault.registers.get("rbx"), Some(0x8800_0010));
    assert_eq!(fault.registers.get("rbp"), Some(0));
    assert_eq!(
        fault.to_string(),
        "wild write at 0x88000010 in main+0xd: movl $1,%gs:(%ebx)"
    );
}

#[test]
fn a_thousand_faults_in_a_row_wear_nothing_out() {
    let mut instance = load("FUNCTION main\n xorl %eax, %eax\n movl $1, %gs:(%eax)\n RETURN");
    let entry = main_of(&instance);
    for _ in 0..1000 {
        let fault = instance
            .call(entry, &[], &mut NoHost)
            .expect_err("misbehaves");
        assert_eq!(fault.kind, FaultKind::NullAccess { write: true });
    }
}

#[test]
fn an_access_before_the_sandbox_hits_the_guard() {
    let source = "FUNCTION main
        movl $16, %eax
        movl %eax, %esp
        addq %gs:0x10000, %rsp
        movl %eax, -32(%rsp)
        RETURN";
    let mut instance = load(source);
    let entry = main_of(&instance);
    let fault = instance
        .call(entry, &[], &mut NoHost)
        .expect_err("the graft misbehaves");
    assert_eq!(fault.kind, FaultKind::Memory { write: true });
    assert_eq!(fault.address, Some(instance.base() - 16));
}
