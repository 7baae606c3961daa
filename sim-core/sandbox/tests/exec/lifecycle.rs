//! Making, keeping and dropping instances.

use std::time::Duration;

use vino_sandbox::{ConfigError, Instance, InstanceConfig, InstanceError, NoHost, SharedRegion};

use crate::fixture::{config, link, load, main_of, rerun_alone, verify};

const COUNT: &str = "
        .local count
        .comm count, 8, 8
FUNCTION main
        incq count(%rip)
        movq count(%rip), %rax
        RETURN";

#[test]
fn a_thousand_sandboxes_live_at_once_and_share_their_image() {
    let image = verify(link(COUNT, &[]));
    let load = || Instance::new(&image, config()).expect("a sandbox");
    let mut all: Vec<Instance> = (0..1000).map(|_| load()).collect();
    for round in 1..=2 {
        for instance in &mut all {
            let entry = main_of(instance);
            assert_eq!(
                instance.call(entry, &[], &mut NoHost).expect("returns"),
                round
            );
        }
    }
    let mut bases: Vec<u64> = all.iter().map(Instance::base).collect();
    bases.sort_unstable();
    bases.dedup();
    assert_eq!(bases.len(), 1000);
    assert!(bases.iter().all(|base| base % (1 << 32) == 0));
    assert!(
        bases.windows(2).all(|pair| pair[1] - pair[0] >= 2 << 32),
        "guards between"
    );
}

/// How many mappings the sandbox at `base` has.
fn mappings(base: u64) -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("proc is mounted");
    let inside = |line: &&str| {
        let start = line
            .split('-')
            .next()
            .and_then(|text| u64::from_str_radix(text, 16).ok());
        let mapped = !line.contains("---p");
        mapped && start.is_some_and(|start| start.wrapping_sub(base) < 1 << 32)
    };
    maps.lines().filter(inside).count()
}

#[test]
fn a_dropped_instance_leaves_nothing_mapped() {
    // Other tests would take the slot that this one looks at.
    if let Some(output) = rerun_alone("lifecycle::a_dropped_instance_leaves_nothing_mapped") {
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        return;
    }
    let image = verify(link(COUNT, &[]));
    let views = vec![SharedRegion::new(64).expect("memory")];
    let hint = load(COUNT).base() + (50 << 33);
    for _ in 0..50 {
        let config = InstanceConfig {
            views: views.clone(),
            base_hint: Some(hint),
            ..config()
        };
        let mut instance = Instance::new(&image, config).expect("a sandbox");
        assert_eq!(
            instance.base(),
            hint,
            "a free base is given when it is asked for"
        );
        let entry = main_of(&instance);
        assert_eq!(instance.call(entry, &[], &mut NoHost).expect("returns"), 1);
        assert_eq!(mappings(hint), 3, "code, what is writable, the view");
        drop(instance);
        assert_eq!(mappings(hint), 0);
    }
}

#[test]
fn nothing_is_writable_and_executable() {
    let instance = load(COUNT);
    let maps = std::fs::read_to_string("/proc/self/maps").expect("proc is mounted");
    assert!(maps.lines().all(|line| !line.contains("rwx")));
    assert_eq!(mappings(instance.base()), 2, "code and what is writable");
}

#[test]
fn memory_is_what_was_asked_for() {
    let heap = InstanceConfig {
        heap_bytes: 5000,
        heap_bytes_max: 5000,
        stack_bytes: 4097,
        ..config()
    };
    let plain = InstanceConfig {
        stack_bytes: 4096,
        ..config()
    };
    let image = verify(link(COUNT, &[]));
    let load = |config| Instance::new(&image, config).expect("a sandbox");
    let difference = load(heap).memory_bytes() - load(plain).memory_bytes();
    assert_eq!(difference, 8192 + 4096);
}

#[test]
fn an_impossible_configuration_is_named() {
    let image = verify(link(COUNT, &[]));
    let refused = |config| match Instance::new(&image, config) {
        Err(InstanceError::Config(error)) => error,
        other => panic!("{other:?}"),
    };
    let zero = InstanceConfig {
        deadline: Duration::ZERO,
        ..config()
    };
    assert_eq!(
        refused(zero),
        ConfigError::Deadline {
            deadline: Duration::ZERO
        }
    );
    let stack = InstanceConfig {
        stack_bytes: 100,
        ..config()
    };
    assert_eq!(
        refused(stack).to_string(),
        "stack of 100 bytes: choose 4096 to 134217728"
    );
    let view = SharedRegion::new(1 << 29).expect("address space");
    let views = InstanceConfig {
        views: vec![view; 3],
        ..config()
    };
    assert_eq!(refused(views), ConfigError::Views { bytes: 3 << 29 });
}
