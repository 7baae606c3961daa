//! Images that are prepared once: who can change them, and what their instances share.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use vino_sandbox::{GraftMemory, Instance, InstanceConfig, NoHost, SandboxAddr, VerifiedImage};

use crate::fixture::{With, config, link, load_with, main_of, pass_alone, verify};

const PAGE: u32 = 4096;

/// Data of two sizes: copied into each instance, and mapped. Addresses lie over page boundaries.
fn with_data(bytes: u32) -> VerifiedImage {
    let source = format!(
        "
        .section .data.rel.ro,\"aw\"
        .skip 4092
constant: .quad word+4
        .data
        .skip 4092
pointer: .quad word
        .skip {bytes}
word:   .quad 41, 0
        .local zero
        .comm zero, 8, 8
        .text
FUNCTION main
        movq pointer(%rip), %rax
        incq %gs:(%eax)
        incq zero(%rip)
        movq %gs:(%eax), %rax
        addq zero(%rip), %rax
        pushq %rax
        popq %rax
        RETURN
FUNCTION distance
        movq constant(%rip), %rax
        subq pointer(%rip), %rax
        RETURN
FUNCTION forget
        movl $0, %eax
        movq %rax, pointer(%rip)
        RETURN"
    );
    verify(link(&source, &[]))
}

fn call(instance: &mut Instance, name: &str) -> u64 {
    let entry = instance.entry(name).expect("defined");
    instance.call(entry, &[], &mut NoHost).expect("returns")
}

#[test]
fn a_reset_instance_is_like_a_new_one() {
    for bytes in [16, 300_000] {
        let image = with_data(bytes);
        let heap = InstanceConfig {
            heap_bytes: PAGE,
            heap_bytes_max: 1 << 20,
            ..config()
        };
        let mut instance = Instance::new(&image, heap).expect("a sandbox");
        let at_start = instance.heap();
        let below_stack = SandboxAddr::of_pointer(u64::from(vino_abi::STACK_END) - 16);
        for _ in 0..3 {
            assert_eq!(call(&mut instance, "main"), 43);
            assert_eq!(call(&mut instance, "main"), 45);
            assert_eq!(call(&mut instance, "distance"), 4);
            let grown = instance.grow_heap(10 * PAGE).expect("within the limit");
            for offset in [at_start.start, grown.offset(), vino_abi::ARGUMENTS_OFFSET] {
                let addr = SandboxAddr::of_pointer(offset.into());
                assert_eq!(instance.read_u64(addr), Some(0), "{offset:#x}");
                instance.write_u64(addr, 7).expect("writable");
            }
            assert_ne!(
                instance.read_u64(below_stack),
                Some(0),
                "the stack was used"
            );
            call(&mut instance, "forget");
            instance.reset().expect("memory");
            assert_eq!(instance.heap(), at_start);
            assert_eq!(instance.read_u64(below_stack), Some(0));
            assert_eq!(
                instance.read_u64(grown),
                None,
                "the heap is as small as before"
            );
        }
    }
}

#[test]
fn instances_share_no_data() {
    for bytes in [16, 300_000] {
        let image = with_data(bytes);
        let [mut one, mut other] =
            [(); 2].map(|()| Instance::new(&image, config()).expect("a sandbox"));
        assert_eq!(call(&mut one, "main"), 43);
        assert_eq!(call(&mut one, "main"), 45);
        assert_eq!(call(&mut other, "main"), 43, "pointers are its own");
        let [mut hinted, mut second] = [(); 2].map(|()| {
            let base_hint = Some(one.base());
            Instance::new(
                &image,
                InstanceConfig {
                    base_hint,
                    ..config()
                },
            )
            .expect("a sandbox")
        });
        assert_ne!(hinted.base(), one.base());
        assert_ne!(hinted.base(), second.base());
        assert_eq!(call(&mut hinted, "main"), 43);
        assert_eq!(call(&mut second, "main"), 43);
    }
}

#[test]
fn an_instance_outlives_every_handle_to_its_image() {
    let image = with_data(16);
    let entry = image.entry("main").expect("defined");
    let mut instance = Instance::new(&image, config()).expect("a sandbox");
    drop(image);
    assert_eq!(instance.call(entry, &[], &mut NoHost).expect("returns"), 43);
    instance.reset().expect("memory");
    assert_eq!(instance.call(entry, &[], &mut NoHost).expect("returns"), 43);
}

#[test]
fn threads_make_call_and_drop_instances_of_one_image() {
    let image = with_data(16);
    let entry = image.entry("main").expect("defined");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let image = image.clone();
            scope.spawn(move || {
                for _ in 0..50 {
                    let mut instance = Instance::new(&image, config()).expect("a sandbox");
                    let outcome = instance.call(entry, &[], &mut NoHost);
                    assert_eq!(outcome.expect("returns"), 43);
                }
            });
        }
    });
}

/// Ways to open the files of images that this process has.
fn image_files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/proc/self/fd").expect("proc is mounted");
    let paths = entries.map(|entry| entry.expect("a descriptor").path());
    let is_image = |path: &PathBuf| {
        let target = std::fs::read_link(path).unwrap_or_default();
        target.to_string_lossy().contains("memfd:vino-image")
    };
    paths.filter(is_image).collect()
}

#[test]
fn nobody_can_write_to_an_image_that_was_verified() {
    if pass_alone("prepared::nobody_can_write_to_an_image_that_was_verified") {
        return;
    }
    let image = with_data(16);
    let mut instance = Instance::new(&image, config()).expect("a sandbox");
    let before = image.text_bytes().to_vec();
    let files = image_files();
    assert_eq!(files.len(), 1);
    let open = || OpenOptions::new().read(true).write(true).open(&files[0]);
    // A memory file may be opened for writing by its path in proc; its seals then refuse.
    let file: File = open().expect("ours");
    let denied = file.write_all_at(&[0x90; 64], 0x6000).expect_err("sealed");
    assert_eq!(denied.kind(), std::io::ErrorKind::PermissionDenied);
    for bytes in [0, 4096, 1 << 20] {
        let denied = file.set_len(bytes).expect_err("sealed");
        assert_eq!(denied.kind(), std::io::ErrorKind::PermissionDenied);
    }
    let truncated = OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(&files[0]);
    assert!(truncated.is_err());
    assert_eq!(image.text_bytes(), before);
    let mut in_sandbox = vec![0; before.len()];
    let start = SandboxAddr::of_pointer(image.text_offset().into());
    instance.read(start, &mut in_sandbox).expect("text");
    assert_eq!(in_sandbox, before, "what runs is what was verified");
    assert_eq!(call(&mut instance, "main"), 43);
    drop((instance, image, file));
    assert!(image_files().is_empty(), "nothing is left open");
}

const TOUCH: &str = "FUNCTION main
        pushq %rdi
        DIRECT_CALL more
        popq %rdi
        movq $5, %gs:(%eax)
        movq %gs:(%eax), %rax
        RETURN
FUNCTION touch
        movq %rsi, %gs:(%edi)
        movq %gs:(%edi), %rax
        RETURN";

#[test]
fn a_heap_grows_under_a_running_graft_and_under_one_that_is_called_back() {
    let heap = InstanceConfig {
        heap_bytes_max: 4 * PAGE,
        ..config()
    };
    let mut instance = load_with(TOUCH, &["more"], heap);
    let (main, touch) = (
        main_of(&instance),
        instance.entry("touch").expect("defined"),
    );
    let start = instance.heap().start;
    let mut host = With(|memory: &mut GraftMemory<'_>, _, _: &[u64; 6]| {
        let outer = memory.grow_heap(1).expect("a page");
        let mut inner = With(|memory: &mut GraftMemory<'_>, _, _: &[u64; 6]| {
            let inner = memory.grow_heap(PAGE + 1).expect("two pages");
            assert_eq!(inner.offset(), outer.offset() + PAGE);
            Ok(memory.base() + u64::from(inner.offset()))
        });
        assert_eq!(memory.call_back(main, &[], &mut inner).expect("returns"), 5);
        let last = memory.heap().end - 8;
        let seen = memory.call_back(touch, &[last.into(), 9], &mut NoHost);
        assert_eq!(seen.expect("returns"), 9);
        Ok(memory.base() + u64::from(outer.offset()))
    });
    assert_eq!(instance.call(main, &[], &mut host).expect("returns"), 5);
    assert_eq!(instance.heap(), start..start + 3 * PAGE);
    assert_eq!(
        instance.grow_heap(PAGE + 1),
        None,
        "two more pages exceed the limit"
    );
    assert_eq!(instance.grow_heap(u32::MAX), None);
    let end = instance.grow_heap(0).expect("nothing always fits");
    assert_eq!(end.offset(), start + 3 * PAGE);
    let behind = u64::from(end.offset());
    let fault = instance.call(touch, &[behind, 1], &mut NoHost);
    assert_eq!(
        fault.expect_err("not mapped").address,
        Some(instance.base() + behind)
    );
    assert_eq!(instance.grow_heap(PAGE), Some(end));
    assert_eq!(
        instance
            .call(touch, &[behind, 1], &mut NoHost)
            .expect("returns"),
        1
    );
    assert_eq!(instance.grow_heap(1), None);
}
