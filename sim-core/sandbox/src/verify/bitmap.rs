//! One bit for each byte of text.

/// A set of positions in text.
#[derive(Debug)]
pub(super) struct Bitmap {
    words: Vec<u64>,
}

impl Bitmap {
    pub(super) fn new(bits: usize) -> Self {
        Self {
            words: vec![0; bits.div_ceil(64)],
        }
    }

    pub(super) fn insert(&mut self, position: usize) {
        self.words[position / 64] |= 1 << (position % 64);
    }

    pub(super) fn contains(&self, position: usize) -> bool {
        self.words[position / 64] & (1 << (position % 64)) != 0
    }

    /// Whether a position of this set is neither in `starts` without being in `interiors`.
    pub(super) fn leaves(&self, starts: &Self, interiors: &Self) -> bool {
        let sets = self.words.iter().zip(&starts.words).zip(&interiors.words);
        sets.into_iter()
            .any(|((own, starts), interiors)| own & !(starts & !interiors) != 0)
    }
}
