//! The checker against code that breaks out: what a verifier with a hole would have let through.
//!
//! Each plant replaces the text of an accepted image after the verifier has seen it.

use std::path::Path;
use std::process::Command;

use object::{Object as _, ObjectSection as _};

use vino_abi::{BASE_SLOT, GATES_OFFSET};

use crate::corpus;
use crate::tracer::{Escape, Tracer};

/// Code that breaks out, and a part of what the tracer must say of it.
const PLANTS: [(&str, &str); 28] = [
    // Memory.
    ("movq $0x1000, %rax; movq (%rax), %rax", "would use"),
    ("movq $0x1000, %rax; movb %al, (%rax)", "would use"),
    ("movq %fs:0, %rax", "would use"),
    (
        "movabsq $0x10000000000, %rax; movq %gs:(%rax), %rax",
        "would use",
    ),
    (
        "movabsq $0x7fffffffffff, %rax; lock btsq %rax, -8(%rsp)",
        "would use",
    ),
    ("movl $0x1000, %edi; movl $2, %ecx; rep stosb", "would use"),
    ("movl $0x1000, %esi; movq %rsp, %rdi; movsq", "would use"),
    ("movl $0x1000, %ebp; leave", "would use"),
    ("movl $0x1000, %eax; pushq (%rax)", "would use"),
    ("movl $0x1000, %eax; popq (%rax)", "would use"),
    (
        "movl $0x1000, %eax; vpgatherdd %ymm1, (%rax,%ymm0), %ymm2",
        "no graft may",
    ),
    ("movl $0x1000, %eax; prefetcht0 (%rax)", "would use"),
    // Hidden state.
    ("std", "hidden state"),
    ("popfq", "hidden state"),
    ("ldmxcsr -8(%rsp)", "hidden state"),
    ("fninit", "more than compute"),
    ("emms", "more than compute"),
    ("xorl %eax, %eax; xgetbv", "more than compute"),
    ("rdtsc", "more than compute"),
    ("cpuid", "more than compute"),
    ("wrgsbase %rax", "more than compute"),
    ("vpxord %zmm16, %zmm16, %zmm16", "no transfer clears"),
    ("movl %eax, %es", "no graft may"),
    // Control.
    ("syscall", "more than compute"),
    ("movl $0x1000, %eax; jmp *%rax", "past its gates"),
    ("jmp . + 3; movl $0x90909090, %eax", "not the start"),
    (
        "movq %gs:BASE_SLOT, %rax; addq $GATES_OFFSET + 0x41, %rax; jmp *%rax",
        "midway",
    ),
    // The stack.
    ("xorl %esp, %esp; nop", "the stack is at"),
];

fn assemble(source: &str, folder: &Path) -> Vec<u8> {
    let (input, output) = (folder.join("plant.s"), folder.join("plant.o"));
    let constants = format!(".set BASE_SLOT, {BASE_SLOT}\n.set GATES_OFFSET, {GATES_OFFSET}\n");
    std::fs::write(&input, format!("{constants}{source}\n")).expect("a file");
    let status = Command::new("as")
        .arg(&input)
        .arg("-o")
        .arg(&output)
        .status();
    assert!(status.expect("as is installed").success(), "{source}");
    let file = std::fs::read(&output).expect("as wrote it");
    let file = object::File::parse(&*file).expect("an object");
    let text = file.section_by_name(".text").expect("code");
    text.data().expect("bytes").to_vec()
}

fn escape(plant: Option<Vec<u8>>, objects: &Path) -> Option<Escape> {
    Tracer::start(crate::SEED, 1, objects, plant).watch().err()
}

#[test]
fn an_image_that_breaks_out_is_caught_at_the_instruction() {
    let (folder, work) = (tempfile::tempdir(), tempfile::tempdir());
    let (folder, work) = (folder.expect("a folder"), work.expect("a folder"));
    assert!(corpus::build(folder.path()) > 0);
    let nothing = escape(None, folder.path());
    if let Some(escape) = nothing {
        panic!("an accepted image is not believed: {escape}");
    }
    let mut missed = Vec::new();
    for (source, expected) in PLANTS {
        let code = assemble(source, work.path());
        match escape(Some(code), folder.path()) {
            Some(escape) if escape.what.contains(expected) => {}
            Some(escape) => missed.push(format!("{source}: {escape}")),
            None => missed.push(format!("{source}: nothing")),
        }
    }
    assert!(
        missed.is_empty(),
        "not caught as expected:\n{}",
        missed.join("\n")
    );
}
