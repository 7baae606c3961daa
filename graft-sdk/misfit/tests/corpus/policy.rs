//! A replacement policy in Rust: trait objects, generics, slices, sorting, matching, panics.
//!
//! It is compiled twice, into a test and into a graft, and must compute the same in both.

trait Policy {
    fn touch(&mut self, page: u32) -> bool;
    fn victim(&self) -> Option<u32>;
}

#[derive(Clone, Copy, Default)]
struct Frame {
    page: u32,
    hits: u16,
    age: u64,
}

struct Table<const N: usize> {
    frames: [Frame; N],
    used: usize,
    clock: u64,
}

impl<const N: usize> Table<N> {
    fn new() -> Self {
        Table {
            frames: [Frame::default(); N],
            used: 0,
            clock: 0,
        }
    }

    fn enter(&mut self, page: u32, victim: Option<u32>) -> bool {
        self.clock += 1;
        let clock = self.clock;
        if let Some(frame) = self.frames[..self.used].iter_mut().find(|f| f.page == page) {
            frame.hits = frame.hits.saturating_add(1);
            frame.age = clock;
            return true;
        }
        let slot = match victim {
            None => {
                self.used += 1;
                self.used - 1
            }
            Some(old) => self.frames.iter().position(|f| f.page == old).unwrap_or(0),
        };
        self.frames[slot] = Frame {
            page,
            hits: 1,
            age: clock,
        };
        false
    }
}

struct LeastRecent(Table<37>);
struct LeastFrequent(Table<29>);

impl Policy for LeastRecent {
    fn touch(&mut self, page: u32) -> bool {
        let victim = self.victim();
        self.0.enter(page, victim)
    }
    fn victim(&self) -> Option<u32> {
        let Table { frames, used, .. } = &self.0;
        (*used == frames.len())
            .then(|| frames.iter().min_by_key(|f| f.age))
            .flatten()
            .map(|f| f.page)
    }
}

impl Policy for LeastFrequent {
    fn touch(&mut self, page: u32) -> bool {
        let victim = self.victim();
        self.0.enter(page, victim)
    }
    fn victim(&self) -> Option<u32> {
        if self.0.used < self.0.frames.len() {
            return None;
        }
        let mut order = self.0.frames;
        order.sort_unstable_by(|a, b| (a.hits, b.age).cmp(&(b.hits, a.age)));
        order.first().map(|f| f.page)
    }
}

fn mix(sum: u64, value: u64) -> u64 {
    let wide = u128::from(sum ^ value) * 0x9e37_79b9_7f4a_7c15_u128;
    (wide >> 64) as u64 ^ (wide << 64 >> 64) as u64
}

pub(crate) fn run(seed: u64) -> u64 {
    let mut recent = LeastRecent(Table::new());
    let mut frequent = LeastFrequent(Table::new());
    let policies: [&mut dyn Policy; 2] = [&mut recent, &mut frequent];
    let mut sum = seed;
    for policy in policies {
        let mut state = seed;
        for step in 0..4000_u32 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let random = (state >> 33) as u32;
            let page = match step % 5 {
                0 | 1 => random % 20,
                2 => random % 200,
                3 => step,
                _ => (random >> 7) % 40,
            };
            sum = mix(sum, u64::from(policy.touch(page)));
        }
        sum = mix(sum, policy.victim().map_or(1, u64::from));
    }
    sum
}
