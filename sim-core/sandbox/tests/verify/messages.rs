//! What a rejection says to the author of the code.

use vino_sandbox::{Diagnosis, Policy, Rejection, Text, VIOLATIONS_MAX, verify};

use crate::filetest::{assemble, link, place_text};

fn reject(source: &str) -> Rejection {
    let image = link(&assemble(source), "");
    let text = place_text(&image);
    let text = Text::of(&image, &text).expect("there is code");
    verify(&text, &Policy::default()).expect_err("the code breaks rules")
}

#[test]
fn code_that_misfit_never_saw_is_called_not_instrumented() {
    let rejection = reject(
        ".globl _ZN5vas_o11pick_victimEPv\n\
         .type _ZN5vas_o11pick_victimEPv,@function\n\
         _ZN5vas_o11pick_victimEPv: mov (%rdi),%rax\n ret\n",
    );
    assert_eq!(rejection.diagnosis, Diagnosis::NotInstrumented);
    let text = rejection.to_string();
    assert_eq!(
        text,
        "3 violations: the object is not instrumented: run misfit -crws on its assembly\n  \
         0x16000 vas_o::pick_victim: mov (%rdi),%rax: R4 (memory is reached as \
         %gs:disp(%r32,%r32,scale), disp(%rsp) or disp(%rip), and through no register \
         otherwise)\n    \
         protect memory accesses: run misfit with -r and -w\n  \
         0x16000 vas_o::pick_victim: mov (%rdi),%rax: R14 (an entry point starts with the target \
         label, outside a group)\n    \
         label the functions that are called from outside: run misfit with -c\n  \
         0x16003 vas_o::pick_victim+0x3: ret: R10 (a return follows the group that checks and \
         re-bases its address)\n    \
         protect returns: run misfit with -c on what gcc wrote with -fno-ipa-ra"
    );
}

#[test]
fn code_whose_only_fault_is_reading_is_told_to_add_read_protection() {
    let prelude = include_str!("prelude.inc");
    let rejection = reject(&format!(
        "{prelude}\nfunction f\n mov (%rdi),%rax\n return\n"
    ));
    assert_eq!(rejection.diagnosis, Diagnosis::WithoutReadProtection);
    assert!(
        rejection.to_string().contains("instrumented without -r"),
        "{rejection}"
    );
    let rejection = reject(&format!(
        "{prelude}\nfunction f\n mov %rax,(%rdi)\n return\n"
    ));
    assert_eq!(rejection.diagnosis, Diagnosis::Violations);
}

#[test]
fn advice_fits_the_instruction() {
    let cases = [
        ("fldt 8(%rsp)", "double instead of long double"),
        ("movd %eax,%mm0", "-mno-mmx"),
        ("vaddps %zmm0,%zmm1,%zmm2", "-mno-avx512f"),
        ("mov %fs:0x28,%rax", "-fno-stack-protector"),
        ("syscall", "makes no system calls"),
        ("leave", "misfit with -s"),
        ("rdtsc", "a run must replay"),
        ("rsqrtss %xmm0,%xmm0", "-ffast-math"),
        ("repne scasb", "only movs and stos"),
        ("bt %rax,(%rsp)", "load the word first"),
        ("jmp *%rax", "-fno-jump-tables"),
        ("call *%rax", "misfit with -c"),
        ("ret", "-fno-ipa-ra"),
    ];
    for (instruction, advice) in cases {
        let rejection = reject(&format!("f: {instruction}\n"));
        let given = rejection.violations[0].advice;
        assert!(given.contains(advice), "{instruction}: {given}");
    }
}

#[test]
fn the_authors_own_functions_come_before_what_headers_define() {
    let rejection = reject(
        ".weak memcpy\n.type memcpy,@function\nmemcpy: mov (%rsi),%rax\n ret\n\
         .globl own\n.type own,@function\nown: mov (%rdi),%rax\n ret\n",
    );
    let symbols = rejection.violations.iter();
    let symbols: Vec<&str> = symbols
        .map(|violation| violation.symbol.as_deref().unwrap_or_default())
        .collect();
    assert_eq!(symbols[0], "own");
    assert_eq!(symbols[symbols.len() - 1], "memcpy+0x3");
}

#[test]
fn a_rejection_is_bounded_and_counts_the_rest() {
    let violations = VIOLATIONS_MAX * 3;
    let rejection = reject(&"mov (%rdi),%rax\n".repeat(violations));
    assert_eq!(rejection.violations.len(), VIOLATIONS_MAX);
    assert_eq!(rejection.total, violations as u64);
    let text = rejection.to_string();
    assert!(text.ends_with("and 176 more"), "{text}");
    assert_eq!(text.lines().count(), 34, "{text}");
}

#[test]
fn text_that_is_not_padded_may_not_run_off_its_end() {
    let image = link(&assemble("f: nop\n"), "");
    let bytes = place_text(&image);
    let whole = Text::of(&image, &bytes).expect("there is code");
    for (bytes, accepted) in [
        (&bytes[..], true),
        (&bytes[..2], true),
        (&bytes[..1], false),
    ] {
        let text = Text {
            bytes,
            ..whole.clone()
        };
        assert_eq!(
            verify(&text, &Policy::default()).is_ok(),
            accepted,
            "{} bytes",
            bytes.len()
        );
    }
    let text = Text {
        bytes: &[],
        ..whole
    };
    let rejection = verify(&text, &Policy::default()).expect_err("nothing stops");
    assert_eq!(rejection.total, 1);
}
