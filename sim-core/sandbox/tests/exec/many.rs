//! As many sandboxes as a process can have.

use vino_sandbox::VerifiedImage;
use vino_sandbox::{ExecError, Instance, InstanceConfig, InstanceError, NoHost, SharedRegion};

use crate::fixture::{config, link, main_of, pass_alone, verify};

/// An image with every kind of area: code, constants that hold addresses, data, bss.
const WHOLE: &str = "
        .section .data.rel.ro,\"aw\"
        .balign 8
table:  .quad count
        .data
        .balign 8
start:  .quad 41
        .local count
        .comm count, 8, 8
        .text
FUNCTION main
        movq table(%rip), %rax
        incq %gs:(%eax)
        movq %gs:(%eax), %rax
        addq start(%rip), %rax
        RETURN";

/// Sandboxes that a system's default settings have room for.
const MANY: usize = 10_000;
/// Mappings that a sandbox takes: code, constants, what is writable, and what is inaccessible
/// before each of the two groups.
const MAPPINGS_EACH_MAX: usize = 5;
/// Where sandboxes are: from the first to behind the last that there can be.
const ARENA: std::ops::Range<u64> = 1 << 40..84 << 40;

/// The mappings of the process among its sandboxes.
fn mappings() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("proc is mounted");
    let start = |line: &str| u64::from_str_radix(line.split('-').next()?, 16).ok();
    let inside = |line: &&str| start(line).is_some_and(|start| ARENA.contains(&start));
    maps.lines().filter(inside).count()
}

/// What the process occupies, in KiB: pages, and tables of pages.
fn occupied() -> (usize, usize) {
    let status = std::fs::read_to_string("/proc/self/status").expect("proc is mounted");
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split_whitespace().nth(1));
        value
            .and_then(|value| value.parse().ok())
            .expect("a number")
    };
    (field("VmRSS:"), field("VmPTE:"))
}

fn make(image: &VerifiedImage) -> Result<Instance, InstanceError> {
    Instance::new(image, config())
}

fn call(instance: &mut Instance) -> u64 {
    let entry = main_of(instance);
    instance.call(entry, &[], &mut NoHost).expect("returns")
}

#[test]
fn ten_thousand_sandboxes_live_at_once_and_leave_nothing() {
    if pass_alone("many::ten_thousand_sandboxes_live_at_once_and_leave_nothing") {
        return;
    }
    let image = verify(link(WHOLE, &[]));
    // Whatever is made once, for the process or the thread, is there before anything is counted.
    assert_eq!(call(&mut make(&image).expect("a sandbox")), 42);
    let mut all = Vec::with_capacity(MANY);
    let (mapped_before, before) = (mappings(), occupied());
    all.extend((0..MANY).map(|_| make(&image).expect("a sandbox")));
    let (mapped, idle) = (mappings() - mapped_before, occupied());
    assert!(mapped <= MANY * MAPPINGS_EACH_MAX, "{mapped} mappings");
    for instance in &mut all {
        assert_eq!(call(instance), 42, "each has its own count");
    }
    let used = occupied();
    let each = |now: (usize, usize)| {
        let kib = |now, before| (now - before) as f64 / MANY as f64;
        let (pages, tables) = (kib(now.0, before.0), kib(now.1, before.1));
        println!("KiB each: {pages:.1} of pages, {tables:.1} of tables");
        pages + tables
    };
    assert!(each(idle) <= 64.0, "an idle sandbox is small");
    assert!(each(used) <= 64.0, "so is one that was called");

    // Go on to the limit that the process has for itself.
    let mut more = Vec::new();
    let refused = loop {
        match make(&image) {
            Ok(instance) => more.push(instance),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(refused, InstanceError::Exec(ExecError::TooManySandboxes { max })
            if max == MANY + more.len()),
        "{refused}"
    );
    drop(more);
    drop(all);
    assert_eq!(mappings(), mapped_before);
    let after = occupied();
    assert!(each(after) < 1.0, "memory was given back");
}

/// Views of one region, each of which is a mapping, so that few sandboxes use up the limit.
const VIEWS_EACH: usize = 100;

#[test]
fn a_process_without_mappings_to_spare_is_told_so_and_goes_on() {
    if pass_alone("many::a_process_without_mappings_to_spare_is_told_so_and_goes_on") {
        return;
    }
    let image = verify(link(WHOLE, &[]));
    assert_eq!(call(&mut make(&image).expect("a sandbox")), 42);
    let region = SharedRegion::new(64).expect("memory");
    let make = || {
        let views = vec![region.clone(); VIEWS_EACH];
        Instance::new(&image, InstanceConfig { views, ..config() })
    };
    let before = mappings();
    let mut all = Vec::with_capacity(MANY);
    let refused = loop {
        match make() {
            Ok(instance) => all.push(instance),
            Err(error) => break error,
        }
    };
    let text = refused.to_string();
    assert!(
        matches!(
            refused,
            InstanceError::Exec(ExecError::TooManyMappings { .. })
        ),
        "{refused:?}"
    );
    assert!(
        text.contains("vm.max_map_count") && text.contains("sysctl -w"),
        "{text}"
    );
    // What was refused left nothing behind, so that one can go and another come.
    for _ in 0..10 {
        drop(all.pop());
        all.push(make().expect("there is room for one"));
        assert!(make().is_err());
    }
    for instance in &mut all {
        assert_eq!(call(instance), 42);
    }
    drop(all);
    assert_eq!(mappings(), before);
}
