//! The offline optimum: Belady's MIN with forced insertion.
use std::collections::BinaryHeap;

use super::trace::Trace;

/// Counts the faults of the best possible policy that must bring in every referenced page.
///
/// Evicts the resident page whose next use is furthest away. No policy without bypass can fault
/// less, which makes it the check on every count this kernel produces.
///
/// Runs in O(n log n). A heap entry is the next use of a resident page; the entry that a hit makes
/// out of date is recognised because its next use has passed, so none is ever searched for.
pub fn belady_faults(trace: &Trace, frames: u32) -> u64 {
    let references = trace.references();
    let next_use = next_uses(trace);
    let mut resident = vec![false; trace.page_ids().len()];
    let mut furthest: BinaryHeap<(u32, u32)> = BinaryHeap::new();
    let (mut used, mut faults) = (0u32, 0u64);
    for (now, reference) in (0u32..).zip(references) {
        let page = reference.page();
        if !resident[page.index()] {
            faults += 1;
            if frames == 0 {
                continue;
            }
            if used == frames {
                let (_, victim) = pop_resident(&mut furthest, &resident, now);
                resident[victim as usize] = false;
            } else {
                used += 1;
            }
            resident[page.index()] = true;
        }
        furthest.push((next_use[now as usize], page.number()));
    }
    faults
}

/// Takes the resident page with the furthest next use.
fn pop_resident(furthest: &mut BinaryHeap<(u32, u32)>, resident: &[bool], now: u32) -> (u32, u32) {
    loop {
        let entry = furthest.pop().expect("every resident page has an entry");
        let stale = entry.0 < now || !resident[entry.1 as usize];
        if !stale {
            return entry;
        }
    }
}

/// For each reference, the index of the next one to the same page, `u32::MAX` if there is none.
fn next_uses(trace: &Trace) -> Vec<u32> {
    let references = trace.references();
    let mut last_seen = vec![u32::MAX; trace.page_ids().len()];
    let mut next_use = vec![u32::MAX; references.len()];
    for (now, reference) in references.iter().enumerate().rev() {
        let last = &mut last_seen[reference.page().index()];
        next_use[now] = *last;
        *last = u32::try_from(now).expect("REFERENCES_MAX fits u32");
    }
    next_use
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, literally: scans ahead at each eviction.
    fn naive(pages: &[u64], frames: usize) -> u64 {
        let mut resident: Vec<u64> = Vec::new();
        let mut faults = 0;
        for (now, page) in pages.iter().enumerate() {
            if resident.contains(page) {
                continue;
            }
            faults += 1;
            if resident.len() == frames {
                let next = |page: &u64| pages[now..].iter().position(|it| it == page);
                let distance = |page: &u64| next(page).unwrap_or(usize::MAX);
                let victim = (0..resident.len()).max_by_key(|&at| distance(&resident[at]));
                resident.swap_remove(victim.expect("memory is full"));
            }
            resident.push(*page);
        }
        faults
    }

    proptest! {
        #[test]
        fn the_optimum_equals_its_definition(
            pages in proptest::collection::vec(0u64..12, 1..120),
            frames in 1u32..8,
        ) {
            let trace = Trace::from_page_ids(pages.iter().copied()).expect("a trace");
            let expected = naive(&pages, frames as usize);
            prop_assert_eq!(belady_faults(&trace, frames), expected);
        }
    }

    #[test]
    fn without_memory_every_reference_faults() {
        let trace = Trace::from_page_ids([1, 1, 2]).expect("a trace");
        assert_eq!(belady_faults(&trace, 0), 3);
    }
}
