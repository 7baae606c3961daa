//! What a graft starts with and what its caller gets back.

use std::hint::black_box;

use vino_sandbox::NoHost;

use crate::fixture::{load, main_of, run, words};

#[test]
fn a_result_comes_back() {
    let value = run(
        "FUNCTION main\n movabsq $0x123456789abcdef0, %rax\n RETURN",
        &[],
    );
    assert_eq!(value.expect("returns"), 0x1234_5678_9abc_def0);
}

#[test]
fn six_arguments_arrive_in_the_order_of_the_c_convention() {
    let source = "FUNCTION main
        leaq (%rdi,%rsi,2), %rax
        leaq (%rax,%rdx,4), %rax
        leaq (%rax,%rcx,8), %rax
        shlq $4, %r8
        addq %r8, %rax
        shlq $5, %r9
        addq %r9, %rax
        RETURN";
    let value = run(source, &[1, 2, 3, 4, 5, 6]).expect("returns");
    assert_eq!(value, 1 + 2 * 2 + 4 * 3 + 8 * 4 + 16 * 5 + 32 * 6);
}

#[test]
#[should_panic(expected = "a graft takes at most six arguments")]
fn a_seventh_argument_is_a_mistake_of_the_caller() {
    let result = run("FUNCTION main\n RETURN", &[0; 7]);
    drop(result);
}

#[test]
#[should_panic(expected = "looked up in")]
fn an_entry_of_another_instance_is_a_mistake_of_the_caller() {
    let source = "FUNCTION main\n RETURN";
    let (one, mut other) = (load(source), load(source));
    let result = other.call(main_of(&one), &[], &mut NoHost);
    drop(result);
}

#[test]
fn functions_of_a_graft_call_each_other_directly_and_through_pointers() {
    let source = "
twice:  TARGET
        leaq (%rdi,%rdi), %rax
        RETURN
FUNCTION main
        subq $8, %rsp
        DIRECT_CALL twice
        movq %rax, %rdi
        leaq twice(%rip), %rax
        CHECKED %eax, %rax
        call *%rax
        RETSITE
        addq $8, %rsp
        RETURN";
    assert_eq!(run(source, &[5]).expect("returns"), 20);
}

/// Stores every general-purpose register but `%rsp`, then every vector register, at `dump`.
const DUMP: &str = "
        .macro DUMP
        movq %rax, dump(%rip)
        movq %rcx, dump+8(%rip)
        movq %rdx, dump+16(%rip)
        movq %rbx, dump+24(%rip)
        movq %rbp, dump+32(%rip)
        movq %rsi, dump+40(%rip)
        movq %rdi, dump+48(%rip)
        movq %r8, dump+56(%rip)
        movq %r9, dump+64(%rip)
        movq %r10, dump+72(%rip)
        movq %r12, dump+80(%rip)
        movq %r13, dump+88(%rip)
        movq %r14, dump+96(%rip)
        movq %r15, dump+104(%rip)
        movups %xmm0, dump+112(%rip)
        movups %xmm1, dump+128(%rip)
        movups %xmm2, dump+144(%rip)
        movups %xmm3, dump+160(%rip)
        movups %xmm4, dump+176(%rip)
        movups %xmm5, dump+192(%rip)
        movups %xmm6, dump+208(%rip)
        movups %xmm7, dump+224(%rip)
        movups %xmm8, dump+240(%rip)
        movups %xmm9, dump+256(%rip)
        movups %xmm10, dump+272(%rip)
        movups %xmm11, dump+288(%rip)
        movups %xmm12, dump+304(%rip)
        movups %xmm13, dump+320(%rip)
        movups %xmm14, dump+336(%rip)
        movups %xmm15, dump+352(%rip)
        movq %r11, dump+368(%rip)
        .endm
        .local dump
        .comm dump, 512, 16
";
const DUMP_WORDS: u64 = 46;

#[test]
fn a_graft_starts_with_every_register_clear_that_carries_no_argument() {
    let source = format!(
        "{DUMP}
FUNCTION main
        DUMP
        leaq dump(%rip), %rax
        RETURN"
    );
    let mut instance = load(&source);
    let entry = main_of(&instance);
    // Work that leaves something in vector registers.
    let noise: f64 = (1..100).map(|n| f64::from(black_box(n)).sqrt()).sum();
    let dump = instance.call(entry, &[], &mut NoHost).expect("returns");
    assert!(black_box(noise) > 0.0);
    assert_eq!(words(&instance, dump, DUMP_WORDS), vec![0; 46]);
    // The scratch register holds the entry's own address, which the graft knows anyway.
    let scratch = words(&instance, dump + 368, 1)[0];
    assert_eq!(scratch, instance.base() + u64::from(entry.offset()));
}

#[test]
fn a_graft_starts_with_the_same_flags_whatever_the_host_did() {
    // setcc is how a graft would see them.
    let source = "FUNCTION main
        setc %al
        setz %cl
        sets %dl
        seto %sil
        setp %dil
        movzbl %al, %eax
        movzbl %cl, %ecx
        movzbl %dl, %edx
        movzbl %sil, %esi
        movzbl %dil, %edi
        leal (%rax,%rcx,2), %eax
        leal (%rax,%rdx,4), %eax
        leal (%rax,%rsi,8), %eax
        shll $4, %edi
        addl %edi, %eax
        RETURN";
    let mut instance = load(source);
    let entry = main_of(&instance);
    for noise in [0_u64, 1, u64::MAX, 1 << 63] {
        // `xorl` of the entry stub leaves ZF and PF.
        let args = [0; 6];
        black_box(black_box(noise).wrapping_add(noise));
        assert_eq!(
            instance.call(entry, &args, &mut NoHost).expect("returns"),
            2 + 16
        );
    }
}

#[test]
fn a_graft_that_overwrites_every_register_disturbs_nobody() {
    let source = "FUNCTION main
        movq $-1, %rax
        movq %rax, %rbx
        movq %rax, %rbp
        movq %rax, %r12
        movq %rax, %r13
        movq %rax, %r14
        movq %rax, %r15
        movq %rax, %rdi
        movq %rax, %rsi
        movq %rax, %r8
        movq %rax, %xmm6
        movq %rax, %xmm15
        RETURN";
    let mut instance = load(source);
    let entry = main_of(&instance);
    // More live values than there are registers, so some are in those that calls preserve.
    let live: Vec<u64> = (0..24).map(|n| black_box(n * 3)).collect();
    let [a, b, c, d, e, f] = [0, 1, 2, 3, 4, 5].map(|n| black_box(live[n]));
    let halves = [1.5, 2.5, 3.5].map(black_box::<f64>);
    for _ in 0..100 {
        assert_eq!(
            instance.call(entry, &[], &mut NoHost).expect("returns"),
            u64::MAX
        );
    }
    assert_eq!([a, b, c, d, e, f], [0, 3, 6, 9, 12, 15]);
    assert_eq!(halves.iter().sum::<f64>(), 7.5);
}

#[test]
fn the_stack_is_aligned_as_the_c_convention_says() {
    let source = "FUNCTION main\n leaq 8(%rsp), %rax\n andl $15, %eax\n RETURN";
    assert_eq!(run(source, &[]).expect("returns"), 0);
}

#[test]
fn state_stays_between_calls() {
    let source = "
        .local count
        .comm count, 8, 8
FUNCTION main
        incq count(%rip)
        movq count(%rip), %rax
        RETURN";
    let mut instance = load(source);
    let entry = main_of(&instance);
    for expected in 1..=3 {
        assert_eq!(
            instance.call(entry, &[], &mut NoHost).expect("returns"),
            expected
        );
    }
}
