//! Very many sandboxes at once: how long they take to make, and what an idle one keeps.

use std::time::Instant;

use vino_sandbox::{Instance, InstanceConfig, NoHost};

use super::graft::{self, Lab};
use super::programs::Programs;
use crate::bench::report::{Measurement, Unit};
use crate::bench::series::Series;
use crate::bench::{Bench, float};
use crate::failure::{Exit, Failure};

/// Sandboxes at once.
const SANDBOXES: usize = 10_000;
/// What an idle sandbox may keep resident, in KiB.
const RESIDENT_KIB_MAX: f64 = 64.0;
/// What the system allows a process by default, divided among the sandboxes.
const MAPPINGS_MAX: f64 = 6.0;

/// What the process has.
#[derive(Clone, Copy, Debug)]
struct Usage {
    resident_kib: u64,
    page_tables_kib: u64,
    mappings: u64,
}

impl Usage {
    fn now() -> Result<Usage, Failure> {
        let read = |file: &str| {
            std::fs::read_to_string(file)
                .map_err(|error| Failure::from_error(&format!("cannot read {file}"), &error))
        };
        let maps = read("/proc/self/maps")?;
        Ok(Usage {
            resident_kib: field(&read("/proc/self/smaps_rollup")?, "Rss:")?,
            page_tables_kib: field(&read("/proc/self/status")?, "VmPTE:")?,
            mappings: maps.lines().count() as u64,
        })
    }
}

/// The number after a label.
fn field(text: &str, label: &str) -> Result<u64, Failure> {
    let value = text.lines().find_map(|line| {
        let rest = line.strip_prefix(label)?;
        rest.split_whitespace().next()?.parse().ok()
    });
    let missing = || Failure::new(Exit::Error, format!("the system does not tell {label}"));
    value.ok_or_else(missing)
}

/// Makes them all, calls each once, and drops them.
pub(super) fn measure(
    bench: &Bench,
    lab: &Lab,
    programs: &Programs,
) -> Result<Vec<Measurement>, Failure> {
    bench.progress.message("ten thousand sandboxes at once");
    let image = lab.prepare(&programs.calls)?;
    let before = Usage::now()?;
    let start = Instant::now();
    let mut crowd: Vec<Instance> = Vec::with_capacity(SANDBOXES);
    let mut refused = None;
    while crowd.len() < SANDBOXES && refused.is_none() {
        match Instance::new(&image, InstanceConfig::default()) {
            Ok(instance) => crowd.push(instance),
            Err(error) => refused = Some(vinod::error_chain(&error)),
        }
    }
    let made_ms = start.elapsed().as_secs_f64() * 1e3;
    // A sandbox is idle after it has worked: its stack is touched.
    for instance in &mut crowd {
        let empty = graft::entry(instance, "bench_empty")?;
        graft::call(instance, empty, &[], &mut NoHost)?;
    }
    let after = Usage::now()?;
    let start = Instant::now();
    let made = crowd.len();
    drop(crowd);
    let dropped_ms = start.elapsed().as_secs_f64() * 1e3;
    Ok(rows(before, after, (made, refused), (made_ms, dropped_ms)))
}

fn rows(
    before: Usage,
    after: Usage,
    (made, refused): (usize, Option<String>),
    (made_ms, dropped_ms): (f64, f64),
) -> Vec<Measurement> {
    let each = |before: u64, after: u64| {
        Series::single(float(after.saturating_sub(before)) / float(made.max(1) as u64))
    };
    let mut total = Measurement::of(
        "ten thousand sandboxes at once, made",
        Unit::Milliseconds,
        &Series::single(made_ms),
    );
    total.met = Some(refused.is_none());
    if let Some(why) = refused {
        total = total.note(format!("only {made} could be made: {why}"));
    }
    let drop_time = Measurement::of(
        "ten thousand sandboxes at once, dropped",
        Unit::Milliseconds,
        &Series::single(dropped_ms),
    );
    let resident = each(before.resident_kib, after.resident_kib);
    let tables = each(before.page_tables_kib, after.page_tables_kib);
    let mappings = each(before.mappings, after.mappings);
    vec![
        total,
        drop_time,
        Measurement::of(
            "resident memory of an idle sandbox",
            Unit::Kibibytes,
            &resident,
        )
        .bar(RESIDENT_KIB_MAX),
        Measurement::of("page tables of an idle sandbox", Unit::Kibibytes, &tables),
        Measurement::of("mappings of a sandbox", Unit::Count, &mappings).bar(MAPPINGS_MAX),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_found_with_its_number() {
        assert_eq!(field("Vm: 1 kB\nRss:   120 kB\n", "Rss:").ok(), Some(120));
        assert!(field("Rss: many", "Rss:").is_err());
    }

    #[test]
    fn sandboxes_that_could_not_be_made_miss_the_bar() {
        let usage = Usage {
            resident_kib: 0,
            page_tables_kib: 0,
            mappings: 0,
        };
        let made = (9, Some("no memory".to_string()));
        let all = rows(usage, usage, (10, None), (1.0, 1.0));
        assert_eq!(all[0].met, Some(true));
        let rows = rows(usage, usage, made, (1.0, 1.0));
        assert_eq!(rows[0].met, Some(false));
        assert!(
            rows[0]
                .note
                .as_deref()
                .is_some_and(|note| note.contains("no memory"))
        );
    }
}
