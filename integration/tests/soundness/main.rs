//! Runs what the verifier accepts one instruction at a time, and checks each against the sandbox.
//!
//! ```text
//!  tracer (this test)                     watched process (this test again)
//!  ------------------                     ---------------------------------
//!                                         random, mutated objects -> verifier
//!  reads what is about to be entered <--- announces each call of an accepted one
//!  steps every instruction, decodes  ---> runs it, with random registers and memory
//!  it from the process's memory, and
//!  judges it from the registers
//! ```
//!
//! The verifier reasons about all of text before it runs; the tracer looks at one instruction with
//! the registers it has, and at what the processor then did. The two share no code, so a hole in
//! the one is seen by the other. What is checked of each instruction: every memory operand lies in
//! the sandbox or its guards, and faults where nothing is mapped; control goes to the start of an
//! instruction that was decoded from the first byte, or to a gate; `%rsp` stays near the sandbox;
//! segments, flags and floating-point modes stay the host's.
//!
//! `VINO_SOUNDNESS_IMAGES` asks for another number of images, and `VINO_SOUNDNESS_SEED` for others:
//!
//! ```text
//! VINO_SOUNDNESS_IMAGES=1000000 VINO_SOUNDNESS_SEED=7 \
//!     cargo test -p integration --test soundness -- accepted --nocapture
//! ```

mod checker;
mod child;
mod corpus;
mod grammar;
mod judge;
mod objects;
mod random;
mod report;
mod templates;
mod tracer;

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;

use report::Statistics;
use tracer::{Escape, Tracer};

/// Images that a run without further orders accepts and runs: two minutes on two processors where
/// a virtual machine makes each step expensive, less elsewhere.
const IMAGES: u64 = 100_000;
const SEED: u64 = 1;
/// Processes that are watched at once, at most.
const WORKERS_MAX: usize = 8;
/// Of the opcodes that the verifier accepts by themselves, at least this many in a hundred run.
const EXECUTED_PERCENT_MIN: usize = 90;

fn order(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(value) => value
            .parse()
            .unwrap_or_else(|_| panic!("{name}={value} is no number")),
        Err(_) => default,
    }
}

/// Watches as many processes as there are processors, each on one of them with its tracer.
fn watch(seed: u64, images: u64, objects: &Path) -> Result<Statistics, Escape> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let workers = processors.min(WORKERS_MAX);
    thread::scope(|scope| {
        let start = |worker: usize| {
            let share = images.div_ceil(workers as u64);
            scope.spawn(move || {
                pin(worker);
                Tracer::start(seed + worker as u64, share, objects, None).watch()
            })
        };
        let watches: Vec<_> = (0..workers).map(start).collect();
        let mut total = Statistics::default();
        for watch in watches {
            total.add(watch.join().expect("the tracer does not panic")?);
        }
        Ok(total)
    })
}

/// Keeps this thread, and the process that it starts, on one processor: they take turns.
fn pin(worker: usize) {
    let mut processors = nix::sched::CpuSet::new();
    let this = nix::unistd::Pid::from_raw(0);
    let pinned = processors
        .set(worker)
        .and_then(|()| nix::sched::sched_setaffinity(this, &processors));
    if let Err(error) = pinned {
        eprintln!("not pinned to a processor, so slower: {error}");
    }
}

/// Not a test by itself: the process that the others start and watch.
#[test]
fn the_watched_process() {
    if let Ok(orders) = std::env::var(child::ORDERS) {
        child::serve(&orders);
    }
}

#[test]
fn accepted_images_stay_in_their_sandbox_at_every_step() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert!(corpus::build(folder.path()) > 20);
    let (images, seed) = (
        order("VINO_SOUNDNESS_IMAGES", IMAGES),
        order("VINO_SOUNDNESS_SEED", SEED),
    );
    let statistics = match watch(seed, images, folder.path()) {
        Ok(statistics) => statistics,
        Err(escape) => panic!("seed {seed}: {escape}"),
    };
    let known: BTreeSet<_> = templates::discover()
        .iter()
        .map(|template| template.code)
        .collect();
    println!("{statistics} of {} that stand alone", known.len());
    println!(
        "never executed, or too rare: {:?}",
        statistics.missing(&known)
    );
    assert!(statistics.images >= images);
    let executed = known
        .iter()
        .filter(|code| statistics.executed.contains(&(**code as usize)));
    assert!(executed.count() * 100 >= known.len() * EXECUTED_PERCENT_MIN);
}
