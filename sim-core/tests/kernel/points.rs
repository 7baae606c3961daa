//! Every graft point changes what it is there to change, and nothing it is not.
use std::sync::Arc;

use sim_core::config::{EvictionPolicy, ExhaustionPolicy, FirstTouch};
use sim_core::event::{AbortReason, Event, EvictionOutcome};
use sim_core::ids::PageNo;
use sim_core::workload::{Trace, belady_faults};

use crate::harness::{
    AWAKE_PAGEDAEMON, Ran, STOP_PAGEOUT, SWAP_PAGEOUT_ORDER, example, graft, own, run, small_trace,
    spec, spec_with, sqlite, writing_trace,
};

/// Pages in the order in which they were evicted.
fn evicted(ran: &Ran) -> Vec<PageNo> {
    ran.all(|event| match event {
        Event::Evicted(eviction) => Some(eviction.page),
        _ => None,
    })
}

#[test]
fn the_default_as_a_graft_evicts_what_the_default_evicts() {
    let trace = sqlite();
    let plain = run(spec(&trace, 1_128));
    assert_eq!(plain.summary.counters.faults, 103_763);
    for name in ["default_victim.C", "default_victim.c"] {
        let grafted = run(spec_with(&trace, 1_128, &example(name)));
        assert_eq!(evicted(&grafted), evicted(&plain), "{name}");
        assert_eq!(
            grafted.summary.state_digest, plain.summary.state_digest,
            "{name}"
        );
        let counters = grafted.summary.counters;
        assert_eq!(counters.commits, counters.evictions, "{name}");
        assert_eq!(counters.overrides, 0, "{name}");
    }
}

#[test]
fn the_database_authors_graft_beats_arc_and_not_the_optimum() {
    let trace = sqlite();
    let ran = run(spec_with(&trace, 1_128, &example("database_victim.C")));
    let faults = ran.summary.counters.faults;
    assert!(faults <= 94_241, "{faults} faults, where ARC has 94,241");
    assert!(
        faults >= belady_faults(&trace, 1_128),
        "nothing beats the optimum"
    );
    assert_eq!(ran.summary.counters.aborts, 0);
}

#[test]
fn a_foolish_choice_makes_the_kept_page_the_next_candidate() {
    // Pages 0 to 3 fill memory; 4 makes the clock propose 0, the graft gives up 3 instead. When 3
    // comes back, its placeholder points at 0, although the clock stands elsewhere.
    let trace = Trace::from_page_ids([0, 1, 2, 3, 4, 3]).expect("a trace");
    let ran = run(spec_with(&Arc::new(trace), 4, &own("newest_once.c")));
    let evictions = ran.all(|event| match event {
        Event::Evicted(it) => Some((it.page.number(), it.proposed.number(), it.outcome)),
        _ => None,
    });
    let expected = [
        (3, 0, EvictionOutcome::Override),
        (0, 0, EvictionOutcome::Accepted),
    ];
    assert_eq!(evictions, expected);
}

#[test]
fn a_daemon_keeps_frames_free_and_its_grafts_decide_how_many() {
    let trace = small_trace(5);
    let daemon = |points: &[&str], object: &str| {
        let mut spec = spec(&trace, 200);
        (spec.kernel.free_min, spec.kernel.free_target) = (10, 20);
        let object = (!points.is_empty()).then(|| match object {
            "early_pageout.C" => example(object),
            own_name => own(own_name),
        });
        let grafts = points.iter().zip(object.iter().cycle());
        spec.grafts = grafts
            .map(|(point, object)| graft("daemon", point, "kernel", object))
            .collect();
        run(spec)
    };
    let plain = daemon(&[], "");
    let early = daemon(&[AWAKE_PAGEDAEMON, STOP_PAGEOUT], "early_pageout.C");
    assert!(early.summary.counters.evictions > plain.summary.counters.evictions);
    assert_eq!(early.summary.counters.aborts, 0);
    let attached = early.all(|event| match event {
        Event::GraftAttached { graft, point, .. } => Some((*graft, point.info().name)),
        _ => None,
    });
    assert_eq!(attached.len(), 2);
    assert_eq!(attached[0].0, attached[1].0, "one graft serves both points");

    let sleepy = daemon(&[AWAKE_PAGEDAEMON], "never_awake.c");
    let demand = run(spec(&trace, 200));
    assert_eq!(
        sleepy.summary.counters.faults,
        demand.summary.counters.faults
    );
    let endless = daemon(&[STOP_PAGEOUT], "never_stop.c");
    assert_eq!(
        endless.summary.counters.aborts, 0,
        "it is bounded, not punished"
    );
    assert_eq!(endless.summary.counters.failed_faults, 0);
}

/// For each write-out, the pages in the order in which they were written.
fn write_outs(ran: &Ran) -> Vec<Vec<PageNo>> {
    ran.all(|event| match event {
        Event::PagesWritten { pages, .. } => Some(pages.iter().map(|&(_, page)| page).collect()),
        _ => None,
    })
}

#[test]
fn modified_pages_are_written_in_the_order_a_graft_gives() {
    let trace = writing_trace(2);
    let plain = run(spec(&trace, 100));
    let mut ordered = spec(&trace, 100);
    let object = example("swap_elevator.C");
    ordered.grafts = vec![graft("elevator", SWAP_PAGEOUT_ORDER, "kernel", &object)];
    let ordered = run(ordered);
    assert_eq!(ordered.summary.counters.aborts, 0);
    let sorted = |pages: &Vec<PageNo>| pages.is_sorted();
    assert!(
        !write_outs(&plain).iter().all(sorted),
        "otherwise this shows nothing"
    );
    assert!(write_outs(&ordered).iter().all(sorted));
    assert!(write_outs(&ordered).iter().any(|pages| pages.len() > 4));
    let sets = |ran: &Ran| -> Vec<Vec<PageNo>> {
        let mut clusters = write_outs(ran);
        clusters.iter_mut().for_each(|pages| pages.sort_unstable());
        clusters
    };
    assert_eq!(
        sets(&ordered),
        sets(&plain),
        "the same pages in the same clusters"
    );
    assert_eq!(evicted(&ordered), evicted(&plain));
}

/// Otherwise a graft of the kernel's owner could follow pages of processes by their old frames.
#[test]
fn a_batch_of_pages_is_nobody_s_business_after_its_write_out() {
    let mut spec = spec(&writing_trace(2), 100);
    let object = own("keeps_batch.c");
    let points = [SWAP_PAGEOUT_ORDER, AWAKE_PAGEDAEMON];
    spec.grafts = points
        .map(|point| graft("g", point, "kernel", &object))
        .into();
    let ran = run(spec);
    assert!(write_outs(&ran).len() > 1);
    let faults = ran.all(|event| match event {
        Event::TxnAborted { fault, .. } => Some(fault.clone()),
        _ => None,
    });
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn an_order_that_is_no_permutation_is_a_bad_answer() {
    let trace = writing_trace(2);
    let plain = run(spec(&trace, 100));
    for (name, complaint) in [
        ("order_repeats.c", "a page occurs twice"),
        ("order_invents.c", "no page it was given"),
    ] {
        let mut spec = spec(&trace, 100);
        spec.grafts = vec![graft("g", SWAP_PAGEOUT_ORDER, "kernel", &own(name))];
        let ran = run(spec);
        let faults = ran.all(|event| match event {
            Event::TxnAborted { reason, fault, .. } => Some((*reason, fault.clone())),
            _ => None,
        });
        assert_eq!(faults.len(), 1, "{name}");
        assert_eq!(faults[0].0, AbortReason::BadAnswer, "{name}");
        assert!(faults[0].1.contains(complaint), "{name}: {}", faults[0].1);
        assert_eq!(write_outs(&ran), write_outs(&plain), "{name}");
    }
}

#[test]
fn exhausted_swap_space_fails_faults_and_not_the_kernel() {
    let mut spec = spec(&writing_trace(3), 50);
    spec.kernel.swap_pages = 20;
    spec.kernel.first_touch = FirstTouch::Modified;
    let ran = run(spec.clone());
    let counters = ran.summary.counters;
    assert!(counters.failed_faults > 0);
    assert_eq!(counters.references, 5_000, "the run goes on");
    let exhausted = ran.all(|event| matches!(event, Event::SwapExhausted { .. }).then_some(()));
    assert_eq!(exhausted.len() as u64, counters.failed_faults);

    spec.kernel.on_swap_exhausted = ExhaustionPolicy::EndRun;
    let ended = run(spec);
    assert_eq!(ended.summary.counters.failed_faults, 1);
    assert!(ended.summary.counters.references < 5_000);
    assert!(matches!(
        ended.events.last(),
        Some(Event::RunFinished { .. })
    ));
}

#[test]
fn a_narrow_hand_spread_and_lru_run_with_a_graft_too() {
    let trace = small_trace(6);
    let object = example("victim.c");
    for policy in [
        EvictionPolicy::Lru,
        EvictionPolicy::TwoHandedClock {
            handspread: Some(1),
        },
        EvictionPolicy::TwoHandedClock {
            handspread: Some(50),
        },
    ] {
        let mut spec = spec_with(&trace, 200, &object);
        spec.kernel.policy = policy;
        let counters = run(spec).summary.counters;
        assert_eq!(counters.aborts, 0, "{policy:?}");
        assert_eq!(counters.commits, counters.evictions, "{policy:?}");
    }
}
