//! No graft runs past its deadline, whatever it does.

use std::time::{Duration, Instant};

use vino_sandbox::{
    Entry, FaultKind, GraftMemory, Host, HostAbort, InstanceConfig, NESTING_MAX, NoHost,
};

use crate::fixture::{With, load_with, main_of};

fn hasty() -> InstanceConfig {
    InstanceConfig {
        deadline: Duration::from_millis(5),
        ..InstanceConfig::default()
    }
}

#[test]
fn an_endless_loop_ends_at_the_deadline_and_the_instance_survives() {
    let source = "FUNCTION main\n1: jmp 1b\nFUNCTION fine\n movl $3, %eax\n RETURN";
    let mut instance = load_with(source, &[], hasty());
    let entry = main_of(&instance);
    let fine = instance.entry("fine").expect("defined");
    for _ in 0..3 {
        let fault = instance
            .call(entry, &[], &mut NoHost)
            .expect_err("never returns");
        assert_eq!(fault.kind, FaultKind::Deadline);
        assert_eq!(fault.symbol.as_deref(), Some("main+0x8"));
        assert_eq!(instance.call(fine, &[], &mut NoHost).expect("returns"), 3);
    }
}

#[test]
fn a_graft_that_lives_in_host_functions_ends_too() {
    let source = "FUNCTION main
        subq $8, %rsp
1:      DIRECT_CALL ask
        jmp 1b";
    let mut instance = load_with(source, &["ask"], hasty());
    let entry = main_of(&instance);
    let mut calls = 0_u64;
    let mut host = With(|_: &mut GraftMemory<'_>, _, _: &[u64; 6]| {
        calls += 1;
        Ok(0)
    });
    let fault = instance
        .call(entry, &[], &mut host)
        .expect_err("never returns");
    assert_eq!(fault.kind, FaultKind::Deadline);
    assert!(calls > 0);
}

/// The outer graft's time runs on while its host function runs inner grafts that are all quick; the
/// outer one ends even if it is never in its own code when the watchdog looks.
#[test]
fn quick_inner_calls_do_not_renew_the_outer_deadline() {
    let outer_source = "FUNCTION main
        subq $8, %rsp
1:      DIRECT_CALL ask
        jmp 1b";
    let mut outer = load_with(outer_source, &["ask"], hasty());
    let mut inner = load_with("FUNCTION main\n RETURN", &[], hasty());
    let quick = main_of(&inner);
    let mut host = With(|_: &mut GraftMemory<'_>, _, _: &[u64; 6]| {
        for _ in 0..1000 {
            inner
                .call(quick, &[], &mut NoHost)
                .expect("returns at once");
        }
        Ok(0)
    });
    let entry = main_of(&outer);
    let fault = outer
        .call(entry, &[], &mut host)
        .expect_err("never returns");
    assert_eq!(fault.kind, FaultKind::Deadline);
}

/// Else a graft that is called back would have a new deadline at each of many levels.
#[test]
fn a_graft_that_is_called_back_has_no_time_of_its_own() {
    const DEADLINE: Duration = Duration::from_millis(100);
    let config = InstanceConfig {
        deadline: DEADLINE,
        ..InstanceConfig::default()
    };
    let source = "FUNCTION main
        subq $8, %rsp
1:      DIRECT_CALL late
        testl %eax, %eax
        je 1b
        DIRECT_CALL back
        jmp 1b";
    let mut instance = load_with(source, &["late", "back"], config);
    let entry = main_of(&instance);

    /// Calls the graft back as soon as it used four fifths of its time, at every level.
    struct Back {
        entry: Entry,
        since: Option<Instant>,
        levels: u32,
    }
    impl Host for Back {
        fn call(
            &mut self,
            memory: &mut GraftMemory<'_>,
            import: u32,
            _: &[u64; 6],
        ) -> Result<u64, HostAbort> {
            if import == 0 {
                let since = *self.since.get_or_insert_with(Instant::now);
                return Ok(u64::from(since.elapsed() > DEADLINE * 4 / 5));
            }
            self.levels += 1;
            self.since = None;
            let entry = self.entry;
            match memory.call_back(entry, &[], self) {
                Ok(_) => Ok(0),
                Err(fault) => {
                    assert!(matches!(
                        fault.kind,
                        FaultKind::Deadline | FaultKind::TooDeep
                    ));
                    Ok(0)
                }
            }
        }
    }
    let mut host = Back {
        entry,
        since: None,
        levels: 0,
    };
    let fault = instance.call(entry, &[], &mut host).expect_err("is late");
    assert_eq!(fault.kind, FaultKind::Deadline);
    // Two, or some more on a busy machine, where the wall's clock runs ahead of the thread's; with
    // a deadline at each level it would be as many as may nest.
    let levels = host.levels as usize;
    assert!(levels < NESTING_MAX / 2, "{levels} levels");
}

#[test]
fn an_inner_graft_that_loops_is_ended_and_its_caller_decides() {
    let patient = InstanceConfig {
        deadline: Duration::from_secs(60),
        ..hasty()
    };
    let source = "FUNCTION main\n subq $8, %rsp\n DIRECT_CALL ask\n addq $8, %rsp\n RETURN";
    let mut outer = load_with(source, &["ask"], patient);
    let mut inner = load_with("FUNCTION main\n1: jmp 1b", &[], hasty());
    let endless = main_of(&inner);
    let mut host = With(|_: &mut GraftMemory<'_>, _, _: &[u64; 6]| {
        let fault = inner
            .call(endless, &[], &mut NoHost)
            .expect_err("never returns");
        assert_eq!(fault.kind, FaultKind::Deadline);
        Ok(77)
    });
    let entry = main_of(&outer);
    assert_eq!(outer.call(entry, &[], &mut host).expect("returns"), 77);
}

#[test]
fn the_watchdog_wakes_up_for_a_graft_that_starts_after_a_long_rest() {
    let mut instance = load_with("FUNCTION main\n1: jmp 1b", &[], hasty());
    let entry = main_of(&instance);
    for _ in 0..2 {
        let fault = instance
            .call(entry, &[], &mut NoHost)
            .expect_err("never returns");
        assert_eq!(fault.kind, FaultKind::Deadline);
        // Past the watchdog's idle ticks, so that the next entry has to wake it.
        std::thread::sleep(Duration::from_millis(60));
    }
}

#[test]
fn several_threads_have_deadlines_of_their_own() {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut instance = load_with("FUNCTION main\n1: jmp 1b", &[], hasty());
                let entry = main_of(&instance);
                let fault = instance
                    .call(entry, &[], &mut NoHost)
                    .expect_err("never returns");
                assert_eq!(fault.kind, FaultKind::Deadline);
            });
        }
    });
}
