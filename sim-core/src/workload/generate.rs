//! Traces of known shape, for benchmarks on machines that have no recorded ones.
use super::trace::{Trace, TraceError};

/// A small, well-mixed generator (SplitMix64), so that a seed means the same trace everywhere.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Starts the sequence that belongs to `seed`.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix64(self.0)
    }

    /// A number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).expect("the high half of a 128-bit product")
    }
}

/// SplitMix64's finalizer: every input bit changes every output bit with probability one half.
pub(crate) fn mix64(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Uniformly random references, of which a share of `1 - frames / pages` faults.
pub fn uniform(references: usize, pages: u64, seed: u64) -> Result<Trace, TraceError> {
    let mut random = Random::new(seed);
    Trace::from_page_ids((0..references).map(|_| random.below(pages)))
}

/// Loops over `pages` pages again and again: the worst case of every recency policy.
pub fn cyclic(references: usize, pages: u64) -> Result<Trace, TraceError> {
    Trace::from_page_ids((0..references as u64).map(|now| now % pages))
}

/// A mixture shaped like a disk workload: runs of sequential pages, some of them revisited.
///
/// A run starts anew at a random page with probability 1 in 16, after which a third of the runs
/// goes back into the last `window` references. On 77,377 frames, 773,770 pages and a window of
/// 40,000, about two references in three fault, which is the shape of ARC's P6.
pub fn disk_like(
    references: usize,
    pages: u64,
    window: usize,
    seed: u64,
) -> Result<Trace, TraceError> {
    let mut random = Random::new(seed);
    let mut ids: Vec<u64> = Vec::with_capacity(references);
    let mut page = 0;
    for now in 0..references {
        if random.below(16) != 0 {
            page = (page + 1) % pages;
        } else if now > 0 && random.below(3) == 0 {
            let back = random.below(now.min(window) as u64);
            page = ids[now - 1 - usize::try_from(back).expect("below a length")];
        } else {
            page = random.below(pages);
        }
        ids.push(page);
    }
    Trace::from_page_ids(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_names_one_trace() {
        let one = disk_like(2000, 500, 100, 7).expect("a trace");
        assert_eq!(disk_like(2000, 500, 100, 7).expect("a trace"), one);
        assert_ne!(disk_like(2000, 500, 100, 8).expect("a trace"), one);
    }

    #[test]
    fn numbers_stay_below_their_bound_and_reach_it() {
        let mut random = Random::new(1);
        let drawn: Vec<u64> = (0..200).map(|_| random.below(3)).collect();
        assert!(drawn.iter().all(|&it| it < 3));
        assert!((0..3).all(|value| drawn.contains(&value)));
    }
}
